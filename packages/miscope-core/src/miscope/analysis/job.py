"""One piece of an analysis, in names only: any process with the same plug-ins can do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

__all__ = ["Job"]


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
