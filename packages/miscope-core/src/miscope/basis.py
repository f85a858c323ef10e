"""An orthonormal basis over the values of one axis, in labelled blocks: how a family says what structure it expects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from miscope.field_docs import documented

__all__ = ["Basis", "Block"]


@final
@documented
@dataclass(frozen=True, slots=True)
class Block:
    """Rows of a basis that belong together: a frequency, an irrep, a degree."""

    label: str
    """What the field calls it: '14' for frequency 14, 'const' for the constant."""
    rows: tuple[int, ...]
    """Which rows of the basis, by number."""


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Basis:
    """Orthonormal rows over the q values of one column or axis."""

    name: str
    """'fourier', 'walsh', ...; 'conditional means' for the data-driven fallback."""
    unit: str
    """What a block label counts, for axis titles: 'frequency k'."""
    rows: np.ndarray
    """(q, q) float64, orthonormal."""
    blocks: tuple[Block, ...]
    """Every row lies in exactly one block."""
    constant: str | None = "const"
    """Label of the block of the constant function, which spectra leave out; None where there is none."""

    def __post_init__(self) -> None:
        q = len(self.rows)
        if self.rows.shape != (q, q) or not np.allclose(self.rows @ self.rows.T, np.eye(q), atol=1e-9):
            raise ValueError(f"the rows of basis {self.name!r} must be orthonormal, got shape {self.rows.shape}")
        if sorted(row for block in self.blocks for row in block.rows) != list(range(q)):
            raise ValueError(f"the blocks of basis {self.name!r} must hold each of its {q} rows once")

    @property
    def size(self) -> int:
        return len(self.rows)

    @property
    def components(self) -> tuple[Block, ...]:
        """The blocks without the constant one, in order."""
        return tuple(block for block in self.blocks if block.label != self.constant)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the components, in order."""
        return tuple(block.label for block in self.components)
