"""Whatever was recorded while a model trained can be drawn: what watched it first, then the training's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import miscope_views
from miscope.bound import BoundWorkspace
from miscope.errors import DoesNotApply
from miscope.figures.controls import options
from miscope.figures.render import gather, render

Make = Callable[..., BoundWorkspace]
NAME = "behaviour.recorded"


def test_what_instruments_saw_is_drawn_as_they_saw_it(workspace: Make):
    place = workspace(views=miscope_views)
    variant = place.variant("toy.fourier", steps=6)
    list(variant.train(threads=1, watch=["parameters.norms:2"]))
    figure = render(place.value, NAME, variant.value, metric="parameters.norms/total/squares", log=True)
    steps, values = variant.metric("parameters.norms/total/squares")
    (trace,) = figure.data
    assert np.asarray(trace.x).tolist() == steps.tolist() == [0, 2, 4, 6]
    assert np.asarray(trace.y) == pytest.approx(values, rel=1e-6)
    assert figure.layout.yaxis.type == "log"


def test_watched_metrics_come_before_the_losses_and_are_never_mixed_with_them(workspace: Make):
    place = workspace(views=miscope_views)
    variant = place.variant("toy.fourier", steps=4)
    list(variant.train(threads=1, watch=["behaviour.metrics"]))
    view = place.plugins.views[NAME]
    offered = options(view.controls[0], gather(place.value, view, variant.value))  # pyright: ignore[reportArgumentType]
    assert offered[0].startswith("behaviour.metrics/")
    assert offered[-4:] == ("test_accuracy", "test_loss", "train_accuracy", "train_loss")
    losses: Any = render(place.value, "behaviour.losses", variant.value)
    assert {trace.name for trace in losses.data} == {"train", "test"}


def test_where_nothing_was_recorded_there_is_nothing_to_choose(workspace: Make, tmp_path: Any):
    import torch

    place = workspace(views=miscope_views)
    context = place.value.context(place.variant("toy.fourier").value)
    assert context.task is not None
    torch.save({"model": context.task.initial_weights(), "step": 3}, tmp_path / "bare.pth")
    (variant,) = place.adopt(tmp_path / "bare.pth", family="toy.fourier")
    with pytest.raises(DoesNotApply, match=r"no metric like '\*' was recorded"):
        render(place.value, NAME, variant.value)
