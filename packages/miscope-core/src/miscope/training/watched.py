"""What watching instruments gave at a step of a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from miscope.outcome import Outcome

__all__ = ["Watched"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Watched:
    """What was seen of the weights at a step."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    """'analyzer/output' -> value of a 0-d output."""
    lost: Mapping[str, Outcome] = field(default_factory=dict)
    """Analyzers that are watched no longer, and what became of each."""

    @property
    def lines(self) -> list[str]:
        """A line for each of these."""
        return [
            f"At step {outcome.step}, {name} could not be computed; the training goes on without it: "
            f"{outcome.error.splitlines()[0]}"
            for name, outcome in self.lost.items()
        ]
