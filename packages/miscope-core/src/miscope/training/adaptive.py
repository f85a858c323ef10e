"""When an adaptive schedule keeps a checkpoint: a decision from the test losses so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, final

from miscope.schedule import Adaptive

__all__ = ["Decision", "Pace", "decide"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A checkpoint kept, and why at this step."""

    step: int
    gap: int
    """Steps since the one before."""
    slope: float
    """Change of log test loss a step, over the window."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What an adaptive schedule remembers: its last checkpoint and the last evaluations."""

    last: int = 0
    seen: tuple[tuple[int, float], ...] = ()
    """(step, log test loss), oldest first."""

    def as_facts(self) -> dict[str, Any]:
        """As JSON has it, for the training state."""
        return asdict(self)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Pace:
        """From what `as_facts` gave."""
        return cls(last=facts["last"], seen=tuple((int(step), float(loss)) for step, loss in facts["seen"]))


def decide(schedule: Adaptive, pace: Pace, step: int, test_loss: float) -> tuple[Pace, Decision | None]:
    """The pace after an evaluation, and the decision to keep a checkpoint at this step, or None.

    The gap between checkpoints is the one over which log test loss changes by `schedule.change` at its present slope
    (least squares over the last `schedule.window` evaluations), held between `least` and `most`.
    """
    if pace.seen and step <= pace.seen[-1][0]:
        return pace, None
    seen = (*pace.seen, (step, math.log(max(test_loss, 1e-300))))[-schedule.window :]
    slope = _slope(seen)
    fitting = schedule.change / abs(slope) if slope else math.inf
    gap = min(max(fitting, schedule.least), schedule.most)
    if step - pace.last < gap:
        return replace(pace, seen=seen), None
    return Pace(last=step, seen=seen), Decision(step=step, gap=step - pace.last, slope=slope)


def _slope(points: tuple[tuple[int, float], ...]) -> float:
    """Least-squares slope; 0 of a single point."""
    x_mean = sum(x for x, _ in points) / len(points)
    y_mean = sum(y for _, y in points) / len(points)
    spread = sum((x - x_mean) ** 2 for x, _ in points)
    return sum((x - x_mean) * (y - y_mean) for x, y in points) / spread if spread else 0.0
