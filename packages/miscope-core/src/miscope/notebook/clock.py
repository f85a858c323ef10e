"""What the cursor of several variants counts: steps, the fraction of training, or steps since an event of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

from miscope.figures.comparing.clock import Clock

__all__ = ["Course", "places", "settled"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A variant's checkpoints, and how its steps are laid on the clock."""

    steps: tuple[int, ...]
    """Ascending."""
    clock: Clock = field(default_factory=Clock)

    @property
    def places(self) -> tuple[float, ...]:
        """Of each step on the clock, ascending; whole where steps are counted."""
        if self.clock.unit == 1 and float(self.clock.zero).is_integer():
            return tuple(step - int(self.clock.zero) for step in self.steps)
        # Two variants that differ in the last digit alone are at one place.
        return tuple(round(self.clock.place(step), 6) for step in self.steps)


def places(courses: Sequence[Course]) -> list[float]:
    """Where any of them has a checkpoint, ascending, each once."""
    return sorted({place for course in courses for place in course.places})


def settled(among: Sequence[float], asked: float | None) -> float | None:
    """The last place at or before what is asked for, else the first; None asks for the last. None where there is none.

    As the cursor does it in the browser (`place_of` in `figures/client/cursor.js`).
    """
    before = [place for place in among if asked is None or place <= asked]
    return before[-1] if before else next(iter(among), None)
