"""Which checkpoints somebody means who writes a schedule: '0,100,500', 'every:1000', '0-500:100'."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING

from miscope.errors import BadValue
from miscope.field_text import shortened
from miscope.schedule import Adaptive, Explicit, parse_schedule, planned_steps
from miscope.store.best_checkpoint import JUDGES, best_checkpoint
from miscope.store.no_checkpoint import no_checkpoint

if TYPE_CHECKING:
    from miscope.snapshot import Series
    from miscope.store.store import Store

__all__ = ["chosen_steps", "one_step", "steps_to_analyze"]


def chosen_steps(text: str, there: Sequence[Sequence[int]], *, words: str = "") -> list[int]:
    """The steps named one by one, or those on a schedule that all the variants have; BadValue for anything else.

    there: the checkpoints of each variant. words: what else may be written there, for who wrote something else.
    """
    try:
        schedule = parse_schedule(text)
    except ValueError:
        schedule = Adaptive()
    if isinstance(schedule, Adaptive):
        raise BadValue(
            f"{text!r} does not say which checkpoints.",
            "It is a list, or a schedule like those of training.",
            f"Write {words}0,100,500 or every:1000 or log:60 or 0-500:100.",
        )
    if isinstance(schedule, Explicit):
        return sorted(schedule.steps)
    shared = sorted(set.intersection(*map(set, there)))
    wanted = planned_steps(schedule, shared[-1] if shared else 0)
    ends = {0, *shared[-1:]}
    found = [step for step in shared if step in wanted]
    if wanted > ends >= {*found} and len(shared) > len(ends):
        raise BadValue(
            f"There is no checkpoint at any step of {text!r}, but for the first and the last.",
            f"There are {len(shared)}, at {shortened([str(step) for step in shared])}.",
            "Write some of these, with commas between them, or a schedule that they are on.",
        )
    return found


def one_step(step: object, steps: Sequence[int], variant: str, metrics: Callable[[], Mapping[str, Series]]) -> int:
    """A step as a number, or the first, last or best of those there are by that word; BadValue for none of these.

    metrics: what was recorded of the variant, read where 'best' is asked for.
    """
    if step in ("first", "last"):
        return (steps or [0])[0 if step == "first" else -1]
    if step == "best":
        return _best(steps, variant, metrics())
    if not isinstance(step, Integral) or isinstance(step, bool):
        raise BadValue(
            f"{step!r} is not a step.",
            f"{variant} has {len(steps)} checkpoints.",
            "Give a step as a number, or 'first', 'last' or 'best'.",
        )
    return int(step)


def _best(steps: Sequence[int], variant: str, metrics: Mapping[str, Series]) -> int:
    found = best_checkpoint(steps, metrics)
    if found is None:
        raise BadValue(
            f"Nobody knows which checkpoint of {variant} is its best.",
            f"At none of its {len(steps)} checkpoints was any of {', '.join(JUDGES)} recorded.",
            "Give a step as a number, or 'first' or 'last'.",
        )
    return found.step


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
