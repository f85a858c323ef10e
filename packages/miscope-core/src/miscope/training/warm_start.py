"""A training that begins with weights made elsewhere: no optimizer state, and the record says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope.commands import in_workspace
from miscope.errors import BadValue
from miscope.store.origin import Origin
from miscope.store.training_state import TrainingState

if TYPE_CHECKING:
    from miscope.store.store import Store
    from miscope.variant import Variant

__all__ = ["MADE_ELSEWHERE", "begin_warm"]

MADE_ELSEWHERE = "made_elsewhere"
"""A fact of the state a warm training begins in: what is recorded at its step is not the training's to write anew."""


def begin_warm(store: Store, variant: Variant, *, total: int) -> None:
    """Leave a state with a fresh optimizer at the last checkpoint, and the record of it; nothing if one is there.

    A variant with a label and no checkpoint begins with the last one of the same variant without it. Raises BadValue
    where there is none, or where it is at `total` already.
    """
    if store.layout.training_state(variant.name, None).exists():
        return
    own = store.steps(variant.name)
    source = variant if own or variant.label is None else store.placed(variant.labelled(None))
    steps = own or store.steps(source.name)
    if not steps:
        raise BadValue(
            f"{variant.name} cannot be trained warm: there are no weights to begin with.",
            f"{source.name} has no checkpoint.",
            "Leave --warm out to begin with the initialisation.",
        )
    beside = "" if own else f" --as {variant.label}"
    if steps[-1] >= total:
        line = f"miscope train {source.name} --warm{beside} --steps {2 * steps[-1] or 1000}"
        raise BadValue(
            f"{source.name} is at step {steps[-1]} already.",
            f"This training would go to step {total}.",
            f"Say how far:  {in_workspace(store.root, line)}",
        )
    checkpoint = store.load_checkpoint(source.name, steps[-1])
    here = {} if own else {"origin": Origin.TRAINED.value}
    store.save_variant(variant, **here, warm={"from": source.name, "step": checkpoint.step, "optimizer": "fresh"})
    if not own:
        store.save_checkpoint(variant.name, checkpoint)
    store.save_training_state(variant.name, TrainingState(step=checkpoint.step, facts={MADE_ELSEWHERE: True}))
