"""Examples to train or to test on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.field_docs import documented

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Examples"]


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """Inputs (n, ...) and, where there are any, the right answers."""

    inputs: Tensor
    """(n, ...), whatever the model takes."""
    labels: Tensor | None = None
    """(n,) int64, or (n, position) where every position is asked; None where nothing is (an autoencoder)."""

    def __len__(self) -> int:
        return len(self.inputs)

    def part(self, start: int, stop: int) -> Examples:
        """Those from a row number to before another."""
        labels = None if self.labels is None else self.labels[start:stop]
        return Examples(inputs=self.inputs[start:stop], labels=labels)

    def rows(self, chosen: Tensor) -> Examples:
        """Those of these row numbers."""
        labels = None if self.labels is None else self.labels[chosen.to(self.labels.device)]
        return Examples(inputs=self.inputs[chosen.to(self.inputs.device)], labels=labels)
