"""A view without a step shows the last checkpoint whose weights are all numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import miscope_views
from miscope.bound import BoundWorkspace
from miscope.checkpoint import Checkpoint
from miscope.errors import DoesNotApply


def test_the_last_checkpoint_shown_is_the_last_that_is_finite(workspace: Callable[..., BoundWorkspace]):
    found = workspace(views=miscope_views).variant("toy.fourier")
    for _ in found.train(threads=1):
        pass
    store = found.workspace.store
    last = store.load_checkpoint(found.name, 30)
    weights = {role: tensor.clone() for role, tensor in last.weights.items()}
    weights["W_E"].view(-1)[1] = float("nan")
    store.save_checkpoint(found.name, Checkpoint(step=30, weights=weights, metrics=last.metrics))
    list(found.analyze("spectra.embedding"))
    layout: Any = found.view("spectra.embedding").figure().layout
    assert layout.meta["miscope"]["step"] == 20
    with pytest.raises(DoesNotApply) as refused:
        found.at(30).view("spectra.embedding").figure()
    assert str(refused.value) == (
        f"'spectra.embedding' does not apply to {found.name}: at step 30, W_E holds NaN (1 of 40 values).\n"
        "Instruments look at checkpoints whose weights are all finite: a training that diverged leaves others.\n"
        "Look at another step, the nearest is 20:  --step 20"
    )
