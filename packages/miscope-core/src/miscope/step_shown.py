"""Which checkpoint a view shows: the one asked for, the last, or none where it spans the training."""

from __future__ import annotations

from collections.abc import Sequence

from miscope.analyzer import Grain
from miscope.errors import DoesNotApply, NoCheckpoint
from miscope.view import View

__all__ = ["step_shown"]


def step_shown(view: View, variant: str, step: int | None, *, steps: Sequence[int], recorded: bool) -> int | None:
    """The step of a view of checkpoint grain, the last for None; None for any other view.

    recorded: whether there are metrics. Without a checkpoint, views over training are drawn of those; DoesNotApply for
    a view of a checkpoint. Raises NoCheckpoint for a step that is not there, and where nothing is.
    """
    spans = view.grain is not Grain.CHECKPOINT
    if not steps and recorded and step is None:
        if spans:
            return None
        reason = "it looks at a checkpoint, and of this variant there are metrics only"
        raise DoesNotApply(view.name, variant, reason, kind="view")
    if not steps or not (spans or step is None or step in steps):
        raise NoCheckpoint(variant, step, steps)
    if spans:
        return None
    return steps[-1] if step is None else int(step)
