"""What an instrument says of its own numbers: sentences that carry them, with their intervals and nulls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

from miscope.artifact import Arrays
from miscope.field_docs import documented

__all__ = ["Observation", "Observe", "ObservedArtifact"]


@final
@documented
@dataclass(frozen=True, kw_only=True)
class Observation:
    """A sentence of a report."""

    text: str
    """The whole sentence, its numbers among it, and beside each what tells it from chance: an interval or a null."""
    value: float | None = None
    """The number it is about, where it is about one."""
    interval: tuple[float, float] | None = None
    """Of that number; the sentence says of what kind."""


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class ObservedArtifact:
    """What a function that observes is given: one artifact, and how its numbers came to be."""

    arrays: Arrays
    """Of the whole training; of checkpoint grain those at the last checkpoint that has any."""
    first: Arrays
    """Of checkpoint grain those at the first; else the same again."""
    step: int | None
    """The checkpoint of `arrays`; None where they span training."""
    first_step: int | None
    """The checkpoint of `first`."""
    step_label: str
    """What a step is called: 'epoch'."""
    options: Any
    """What it was computed with: the analyzer's own options."""

    def at(self, step: float) -> str:
        """'epoch 1,200': a step in words."""
        return f"{self.step_label} {step:,.0f}"


Observe: TypeAlias = "Callable[[ObservedArtifact], Sequence[Observation]]"
"""Says what an artifact shows; nothing where it shows nothing."""
