"""At which steps a training's log has a line, and what has to be computed for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from miscope.family import Family
from miscope.train_options import TrainOptions

__all__ = ["LogLines", "watched_and_logged"]


@final
@dataclass(frozen=True)
class LogLines:
    """The lines of one training: every so many steps, and at the last."""

    family: Family
    options: TrainOptions
    total: int

    def due(self, step: int) -> bool:
        """Whether the step has a line."""
        every = self.options.log_every
        return every is not None and (step % every == 0 or step == self.total)

    def of(self, step: int, metrics: Mapping[str, float]) -> str:
        """The line of the step; "" where it has none."""
        return self.family.log_line(step, metrics) if self.due(step) else ""


def watched_and_logged(options: TrainOptions, logged: Sequence[str], evaluate_every: int) -> tuple[str, ...]:
    """What watches a training: what was asked for, and, where its log has lines, the instruments that they show.

    One that was asked for too is computed as often as both need.
    """
    if options.log_every is None:
        return tuple(options.watch)
    asked = {text.partition(":")[0] for text in options.watch}
    shown = [f"{name}:{options.log_every}" for name in logged if name not in asked]
    return (*(_for_both(text, options.log_every, logged, evaluate_every) for text in options.watch), *shown)


def _for_both(text: str, log_every: int, logged: Sequence[str], evaluate_every: int) -> str:
    name, colon, number = text.partition(":")
    if name not in logged or (colon and not number.isdecimal()):
        return text
    return f"{name}:{math.gcd(int(number or evaluate_every), log_every)}"
