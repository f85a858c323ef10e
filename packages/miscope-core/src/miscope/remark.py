"""What somebody should know of a training, before it begins or while it is under way: a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from miscope.field_docs import documented

__all__ = ["Remark"]


@final
@documented
@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One sentence or two about a field of a training or its family's parameters."""

    severity: Literal["error", "warning", "info"]
    """'error': it is not begun; 'warning': it is, and its ledger says so; 'info': what a field comes to."""
    field: str
    """Which it is about: 'learning_rate'."""
    message: str
    """What is so, and what to do."""

    def __str__(self) -> str:
        """'warning, batch_size: 64 is outside ...'"""
        return f"{self.severity}, {self.field}: {self.message}"
