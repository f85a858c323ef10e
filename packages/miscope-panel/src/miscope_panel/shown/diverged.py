"""Whether a training diverged: since when its losses are no numbers, and what of it is sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from miscope.errors import MiscopeError

if TYPE_CHECKING:
    from miscope.snapshot import Series
    from miscope.workspace import Workspace

__all__ = ["diverged", "told_diverged"]


def diverged(workspace: Workspace, variant: str) -> str:
    """A sentence where the last losses of the variant are no numbers; "" where they are, or cannot be read."""
    try:
        metrics = workspace.store.metrics(variant, ["*loss"])
        sound = workspace.store.finite_steps(variant)
        label = workspace.plugins.family(variant.partition("/")[0]).step_label
    except MiscopeError:
        return ""
    return told_diverged(metrics, sound, label)


def told_diverged(metrics: Mapping[str, Series], sound: Sequence[int], label: str) -> str:
    """'Training diverged: train_loss is NaN since epoch 12,300; the last sound checkpoint is at 12,000.'

    sound: checkpoints whose weights are numbers, ascending; those after the step have only not broken yet.
    """
    since = {name: step for name, series in metrics.items() if (step := _since(series)) is not None}
    if not since:
        return ""
    name = min(since, key=lambda one: (since[one], one))
    before = [step for step in sound if step < since[name]]
    rest = f"; the last sound checkpoint is at {before[-1]:,}" if before else "; no checkpoint before it is kept"
    return f"Training diverged: {name} is NaN since {label} {since[name]:,}{rest}."


def _since(series: Series) -> int | None:
    """The step from which on no value is a number; None where the last is one."""
    finite = np.flatnonzero(np.isfinite(series.values))
    first = 0 if not len(finite) else int(finite[-1]) + 1
    return int(series.steps[first]) if first < len(series.values) else None
