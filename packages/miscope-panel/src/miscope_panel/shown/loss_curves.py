"""The losses of a training as a small chart draws them: few points that look like all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.errors import MiscopeError
from miscope.runs.reconciling import first_step
from miscope.runs.run_state import ACTIVE
from miscope.snapshot import Series
from miscope_panel.shown.thinning import thinned

if TYPE_CHECKING:
    from miscope.runs.queued_run import QueuedRun
    from miscope.store.store import Store
    from miscope.workspace import Workspace

__all__ = ["loss_curves", "loss_names", "run_curves"]

Span = tuple[int | None, int | None]

_MOST_CURVES, _MOST_POINTS = 4, 200
_FIRST = ("train_loss", "test_loss", "loss")


def loss_names(names: Iterable[str]) -> tuple[str, ...]:
    """Those of these metrics that are drawn: losses of the training and of what is held out, before parts of them.

    Scalars of instruments, whose names have a slash, are none.
    """
    losses = [name for name in names if "/" not in name and name.endswith("loss")]
    order = {name: place for place, name in enumerate(_FIRST)}
    return tuple(sorted(losses, key=lambda name: (order.get(name, len(order)), name))[:_MOST_CURVES])


def loss_curves(store: Store, variant: str, span: Span = (None, None)) -> Mapping[str, Mapping[str, list[float]]]:
    """'steps' and 'values' by metric, of values that a logarithmic axis has room for; {} where nothing was recorded.

    span: the first step and the last that are drawn; None for all.
    """
    found = store.metrics(variant, ("*loss",))
    drawn = {name: _drawn(found[name], span) for name in loss_names(found)}
    return {name: curve for name, curve in drawn.items() if curve["steps"]}


def run_curves(workspace: Workspace, run: QueuedRun) -> dict[str, Any]:
    """What a training recorded itself, as JSON has it: another of the same variant may have gone on from it.

    {} where it never began, and where what is there cannot be read: whoever shows them says all else.
    """
    if run.turn == 0:
        return {}
    try:
        # Of one that goes on, records may be ahead of what it said of itself.
        last = None if run.state in ACTIVE else run.reached.done
        curves = loss_curves(workspace.store, run.what, (first_step(workspace.ledger, run), last))
        return {name: dict(curve) for name, curve in curves.items()}
    except MiscopeError:
        return {}


def _drawn(series: Series, span: Span) -> Mapping[str, list[float]]:
    there = np.isfinite(series.values) & (series.values > 0)
    for edge, inside in zip(span, (np.greater_equal, np.less_equal), strict=True):
        if edge is not None:
            there &= inside(series.steps, edge)
    kept = thinned(Series(steps=series.steps[there], values=series.values[there]), _MOST_POINTS)
    return {"steps": kept.steps.tolist(), "values": kept.values.tolist()}
