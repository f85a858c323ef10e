"""Which checkpoint a view shows: the one asked for, the last, or none where it spans the training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope.analyzer import Grain
from miscope.errors import DoesNotApply
from miscope.finiteness import cure
from miscope.store.no_checkpoint import no_checkpoint
from miscope.view import View

if TYPE_CHECKING:
    from miscope.store.store import Store

__all__ = ["step_shown"]


def step_shown(store: Store, view: View, variant: str, step: int | None) -> int | None:
    """The step of a view of checkpoint grain, the last finite one for None; None for any other view.

    Without a checkpoint, views over training are drawn of the metrics. Raises DoesNotApply for a view of a checkpoint
    then, and of one whose weights are not finite; NoCheckpoint for a step that is not there, and where nothing is.
    """
    spans, steps = view.grain is not Grain.CHECKPOINT, store.steps(variant)
    if not steps and step is None and store.metrics(variant):
        if spans:
            return None
        reason = "it looks at a checkpoint, and of this variant there are metrics only"
        raise DoesNotApply(reason, name=view.name, variant=variant, kind="view")
    if not steps or not (spans or step is None or step in steps):
        raise no_checkpoint(store.layout, variant, step, store.steps(variant))
    if spans:
        return None
    finite = store.finite_steps(variant)
    at = int(step) if step is not None else (finite or steps)[-1]
    if at not in finite:
        reason = f"at step {at}, {store.unfinite(variant, at)}"
        raise DoesNotApply(reason, name=view.name, variant=variant, kind="view", cure=cure(finite, at))
    return at
