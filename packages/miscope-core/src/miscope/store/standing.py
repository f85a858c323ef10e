"""What there is of a variant in a store, read from its record, its checkpoints and its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope.store.origin import Origin, Standing, origin_of

if TYPE_CHECKING:
    from miscope.store.store import Store

__all__ = ["keeps_optimizer", "lacks_optimizer", "lacks_weights", "standing_of"]


def standing_of(store: Store, name: str) -> Standing | None:
    """What there is of the variant of that name; None where it has no record."""
    if not store.layout.record(name).exists():
        return None
    series = store.metrics(name).values()
    return Standing(
        name=name,
        facts=store.variant_record(name).facts,
        steps=store.steps(name),
        recorded=max((int(one.steps[-1]) for one in series if len(one.steps)), default=None),
        root=store.root,
        resumable=store.layout.training_state(name, None).exists(),
    )


def lacks_weights(store: Store, name: str) -> str | None:
    """Why the variant has no checkpoint that instruments can look at, as a clause; None where it has one."""
    if store.finite_steps(name):
        return None
    steps = store.steps(name)
    if not steps:
        return "of this variant there are metrics only"
    last = f"at step {steps[-1]}, {store.unfinite(name, steps[-1])}"
    return f"its one checkpoint is not finite: {last}" if len(steps) == 1 else f"no checkpoint is finite: {last}"


def lacks_optimizer(store: Store, name: str) -> str | None:
    """Why no checkpoint of the variant has the optimizer's state beside it, as a clause; None where one has, or where
    there is no checkpoint."""
    steps = store.steps(name)
    if not steps or any(store.layout.training_state(name, step).exists() for step in reversed(steps)):
        return None
    return f"no optimizer state was kept beside its checkpoints; {keeps_optimizer(store, name).removesuffix('.')}"


def keeps_optimizer(store: Store, name: str) -> str:
    """What keeps the optimizer's state beside the checkpoints of such a variant, as the end of a sentence."""
    match origin_of(store.variant_record(name).facts):
        case Origin.RECORDED:
            return "give `optimizer=` to recorder.checkpoint."
        case Origin.IMPORTED | Origin.METRICS | Origin.ELSEWHERE:
            return "checkpoints from elsewhere come without it."
        case _:
            return "train with save_optimizer=true, or watch it while it trains."
