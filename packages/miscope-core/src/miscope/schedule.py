"""Which steps of a training leave a checkpoint behind."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from miscope.field_docs import documented

__all__ = [
    "Adaptive",
    "Every",
    "Explicit",
    "LogSpaced",
    "Ranges",
    "Schedule",
    "parse_schedule",
    "planned_steps",
    "written",
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@documented
class Explicit(_Frozen):
    """The steps one names."""

    kind: Literal["explicit"] = "explicit"
    """Which schedule it is, where one is read back."""
    steps: tuple[Annotated[int, Field(ge=0)], ...]
    """Each of them."""


@documented
class Every(_Frozen):
    """Every n steps."""

    kind: Literal["every"] = "every"
    """Which schedule it is, where one is read back."""
    n: Annotated[int, Field(ge=1)]
    """Steps from one to the next; step 0 is kept."""


@documented
class Ranges(_Frozen):
    """Several (start, stop, every) ranges, stop excluded: dense where it matters."""

    kind: Literal["ranges"] = "ranges"
    """Which schedule it is, where one is read back."""
    ranges: tuple[tuple[int, int, Annotated[int, Field(ge=1)]], ...]
    """(start, stop, every): start, start + every, ... below stop."""


@documented
class LogSpaced(_Frozen):
    """About `count` steps, equally spaced in log(step)."""

    kind: Literal["log"] = "log"
    """Which schedule it is, where one is read back."""
    count: Annotated[int, Field(ge=2)]
    """How many, before those that round to one step are counted once."""


@documented
class Adaptive(_Frozen):
    """Dense while the test loss moves, sparse while it rests.

    The gap to the next checkpoint is the one over which log test loss is expected to change by `change`,
    from its slope over the last `window` evaluations, held between `least` and `most` steps.
    """

    kind: Literal["adaptive"] = "adaptive"
    """Which schedule it is, where one is read back."""
    least: Annotated[int, Field(ge=1)] = 10
    """Smallest gap, in steps."""
    most: Annotated[int, Field(ge=1)] = 500
    """Largest gap, in steps."""
    change: Annotated[float, Field(gt=0)] = 0.1
    """Of the natural logarithm of the test loss, from one checkpoint to the next."""
    window: Annotated[int, Field(ge=2)] = 5
    """Evaluations that the slope is taken over."""


Schedule = Annotated[Explicit | Every | Ranges | LogSpaced | Adaptive, Field(discriminator="kind")]


FORMS = "every:100, log:60, 0,100,500, 0-1500:100 or adaptive"
"""How schedules are written."""


def parse_schedule(text: str) -> Explicit | Every | Ranges | LogSpaced | Adaptive:
    """'every:100', 'log:60', '0,100,500', '0-1500:100,1500-9000:500', 'adaptive' or 'adaptive:10-500'.

    Raises ValueError on anything else.
    """
    kind, _, rest = text.partition(":")
    if kind == "every":
        return Every(n=int(rest))
    if kind == "log":
        return LogSpaced(count=int(rest))
    if kind == "adaptive":
        least, _, most = rest.partition("-")
        return Adaptive(least=int(least), most=int(most)) if rest else Adaptive()
    if "-" in text:
        parts = [part.partition(":") for part in text.split(",")]
        schedule = Ranges.model_validate(
            {"ranges": [(*map(int, span.split("-")), int(every)) for span, _, every in parts]}
        )
        empty = next((each for each in schedule.ranges if each[0] >= each[1]), None)
        if empty is not None:
            raise ValueError(f"the range {empty[0]}-{empty[1]} holds no step, since it ends where it begins or before")
        return schedule
    return Explicit(steps=tuple(int(step) for step in text.split(",")))


def written(schedule: Explicit | Every | Ranges | LogSpaced | Adaptive) -> str:
    """The schedule as `parse_schedule` reads it; of an adaptive one only its gaps."""
    match schedule:
        case Explicit():
            return ",".join(map(str, schedule.steps))
        case Every():
            return f"every:{schedule.n}"
        case Ranges():
            return ",".join(f"{start}-{stop}:{every}" for start, stop, every in schedule.ranges)
        case LogSpaced():
            return f"log:{schedule.count}"
        case Adaptive():
            return f"adaptive:{schedule.least}-{schedule.most}"


def planned_steps(schedule: Explicit | Every | Ranges | LogSpaced | Adaptive, steps: int) -> frozenset[int]:
    """The steps known beforehand to be kept in a training of `steps` updates; 0 and the last always are.

    An adaptive schedule decides on the way; here it gives the first and last only.
    """
    match schedule:
        case Explicit():
            chosen = set(schedule.steps)
        case Every():
            chosen = set(range(0, steps + 1, schedule.n))
        case Ranges():
            chosen = {s for start, stop, every in schedule.ranges for s in range(start, min(stop, steps + 1), every)}
        case LogSpaced():
            top = math.log(max(steps, 1))
            # So many points leave out no step: there is no need to go through them.
            dense = schedule.count > 2 * steps * top + 2
            points = (round(math.exp(i * top / (schedule.count - 1))) for i in range(0 if dense else schedule.count))
            chosen = set(range(1, steps + 1)) if dense else set(points)
        case Adaptive():
            chosen = set()
    return frozenset({step for step in chosen if step <= steps} | {0, steps})
