"""Points that stand for steps without an axis that counts them: those of a path, which carries its steps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.figures.trace_columns import values_of

if TYPE_CHECKING:
    from miscope.figures.axes import Placed
    from miscope.view import ViewData

__all__ = ["note_step_points"]


def note_step_points(traces: Sequence[Placed], axes: Collection[str], shown: ViewData) -> None:
    """Have each path say that its points are steps, `meta` {"steps": "customdata"}: there the current step is marked.

    axes: those that count steps. A path is a trace that is drawn with lines on other axes and has the checkpoint of
    each point as its `customdata`, or as the first of several numbers; NaN between two paths of one trace.
    """
    known = {*shown.steps.tolist(), *(step for member in shown.members for step in member.shown.steps.tolist())}
    for each in traces:
        if each.x in axes or each.y in axes or "mode" not in each.trace or "lines" not in str(each.trace["mode"]):
            continue
        if (steps := _steps_of(each.trace["customdata"])) and known.issuperset(steps):
            each.trace["meta"] = {**(each.trace["meta"] or {}), "steps": "customdata"}


def _steps_of(custom: Any) -> set[float]:
    """The different numbers that points carry, or the first of those of each; none unless there are two or more."""
    if custom is None:
        return set()
    column = values_of(custom)
    column = column[:, 0] if column.ndim == 2 and column.shape[1] else column
    if column.ndim != 1 or column.dtype.kind not in "iuf":
        return set()
    steps = set(column[np.isfinite(column)].tolist())
    return steps if len(steps) > 1 else set()
