"""Runs that were started from the form as they go on: state, how far they are, and their losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.errors import MiscopeError, UnknownName
from miscope.runs.run_state import ENDED
from miscope.train_request import TrainRequest
from miscope_panel.shown.thinning import thinned

if TYPE_CHECKING:
    from miscope.runs.queued_run import QueuedRun
    from miscope.runs.run_queue import RunQueue
    from miscope.snapshot import Series
    from miscope.workspace import Workspace

__all__ = ["WatchedRun", "watched"]

_MOST_POINTS, _MOST_CURVES = 240, 4


@final
@dataclass(frozen=True, kw_only=True)
class WatchedRun:
    """A run at one moment."""

    id: int
    kind: str
    what: str
    state: str
    ended: bool
    told: str
    """'step 1,200 of 4,000, 12 s left'."""
    error: str = ""
    """Why it failed, its first line."""
    curves: Mapping[str, tuple[list[int], list[float | None]]] = field(default_factory=dict)
    """Losses by name: steps and values; None for what is no number."""


def watched(workspace: Workspace, queue: RunQueue, numbers: Sequence[int]) -> tuple[WatchedRun, ...]:
    """These runs now; those that are in the queue no more are left out."""
    found = []
    for number in numbers:
        try:
            found.append(_watched(workspace, queue.run(number)))
        except UnknownName:
            continue
    return tuple(found)


def _watched(workspace: Workspace, run: QueuedRun) -> WatchedRun:
    trains = isinstance(run.request, TrainRequest)
    return WatchedRun(
        id=run.id,
        kind=run.kind,
        what=run.what,
        state=run.state.value,
        ended=run.state in ENDED,
        told=_told(run),
        error=run.error.partition("\n")[0],
        curves=_losses(workspace, run.what) if trains else {},
    )


def _told(run: QueuedRun) -> str:
    reached = run.reached
    if reached.total is None:
        return ""
    unit = "step" if run.kind == "train" else "job"
    left = f", {reached.eta:,.0f} s left" if reached.eta is not None and run.state not in ENDED else ""
    return f"{unit} {reached.done:,} of {reached.total:,}{left}"


def _losses(workspace: Workspace, variant: str) -> dict[str, tuple[list[int], list[float | None]]]:
    """Of the training, thinned out; {} where nothing was recorded yet, or it cannot be read."""
    try:
        found = workspace.store.metrics(variant, ("*loss",))
    except MiscopeError:
        return {}
    return {name: _points(found[name]) for name in sorted(found)[:_MOST_CURVES] if len(found[name].steps)}


def _points(series: Series) -> tuple[list[int], list[float | None]]:
    shown = thinned(series, _MOST_POINTS)
    values = [float(value) if np.isfinite(value) else None for value in shown.values]
    return [int(step) for step in shown.steps], values
