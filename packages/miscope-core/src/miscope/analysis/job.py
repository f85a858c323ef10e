"""One piece of an analysis, in names only: any process with the same plug-ins can do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

__all__ = ["Job"]


_FEW = 3
"""Analyzers that are named where a job is."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Analyzers to compute together: at one checkpoint, over a training, or across several variants."""

    variant: str
    """Name, or 'cohort/<digest>' where it spans `members`."""
    step: int | None
    analyzers: tuple[str, ...]
    steps: tuple[int, ...]
    """The checkpoints that trajectory grain spans."""
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    members: tuple[tuple[str, tuple[int, ...]], ...] = ()
    """Of cohort grain: each variant's name and the checkpoints spanned."""

    def __str__(self) -> str:
        """'analyze toy.sum/v5-seed1 at step 100: ranks.weights, parameters.norms and 4 more'."""
        few, more = ", ".join(self.analyzers[:_FEW]), len(self.analyzers) - _FEW
        return f"analyze {self.variant} {self._when}: {few}{f' and {more} more' if more > 0 else ''}"

    @property
    def _when(self) -> str:
        if self.members:
            return f"of {len(self.members)} variants"
        if self.step is not None:
            return f"at step {self.step}"
        return f"at steps {min(self.steps)} to {max(self.steps)}" if self.steps else "over training"
