"""Which checkpoints somebody means who writes a schedule: '0,100,500', 'every:1000', '0-500:100'."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING

from miscope.errors import BadValue
from miscope.schedule import Adaptive, Explicit, parse_schedule, planned_steps
from miscope.store.no_checkpoint import no_checkpoint

if TYPE_CHECKING:
    from miscope.store.store import Store

__all__ = ["chosen_steps", "one_step", "steps_to_analyze"]


def chosen_steps(text: str, there: Sequence[Sequence[int]]) -> list[int]:
    """The steps named one by one, or those on a schedule that all the variants have; BadValue for anything else.

    there: the checkpoints of each variant.
    """
    try:
        schedule = parse_schedule(text)
    except ValueError:
        schedule = Adaptive()
    if isinstance(schedule, Adaptive):
        raise BadValue(
            f"{text!r} does not say which checkpoints.",
            "It is a list, or a schedule like those of training.",
            "Write 0,100,500 or every:1000 or log:60 or 0-500:100.",
        )
    if isinstance(schedule, Explicit):
        return sorted(schedule.steps)
    shared = sorted(set.intersection(*map(set, there)))
    wanted = planned_steps(schedule, shared[-1] if shared else 0)
    return [step for step in shared if step in wanted]


def one_step(step: object, steps: Sequence[int], variant: str) -> int:
    """A step as a number, the first or the last of those there are by that word; BadValue for what is none of these."""
    if step in ("first", "last"):
        return (steps or [0])[0 if step == "first" else -1]
    if not isinstance(step, Integral) or isinstance(step, bool):
        raise BadValue(
            f"{step!r} is not a step.",
            f"{variant} has {len(steps)} checkpoints.",
            "Give a step as a number, or 'first' or 'last'.",
        )
    return int(step)


def steps_to_analyze(store: Store, variant: str, steps: Sequence[int] | None) -> tuple[int, ...]:
    """The steps asked for, ascending, or all; NoCheckpoint for one that is not there, BadValue for none."""
    have = store.steps(variant)
    if not have:
        raise no_checkpoint(store.layout, variant, None, store.steps(variant))
    if steps is None:
        return tuple(have)
    for step in steps:
        if step not in have:
            raise no_checkpoint(store.layout, variant, step, store.steps(variant))
    if not steps:
        raise BadValue("No step was chosen.", f"{variant} has {len(have)} checkpoints.", "Leave `steps` out for all.")
    return tuple(sorted(set(steps)))
