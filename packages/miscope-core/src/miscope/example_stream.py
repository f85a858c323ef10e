"""Examples that every update draws anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from miscope.examples import Examples
from miscope.field_docs import documented

__all__ = ["ExampleStream"]


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class ExampleStream:
    """Examples without end, in place of a finite set that is gone through again and again."""

    of_update: Callable[[int, int], Examples]
    """(step, count) -> the examples of the update from that step; a function of the two and of nothing else, so that a
    training that was stopped or killed goes on with what it would have seen."""
    work: float = 0.0
    """What it takes to make one of them, as weights that a pass forward multiplies by: part of what an update takes."""
