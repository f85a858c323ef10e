"""Power of a matrix along labelled blocks of an orthonormal basis over one of its axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from miscope.basis import Basis, Block
from miscope.maths.sparsity import gini

__all__ = ["Spectrum", "basis_spectrum", "singular_spectrum"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Spectrum:
    """Where the power of a matrix lies."""

    basis: str
    """Name of the basis; 'singular' for the matrix's own."""
    norm: np.ndarray
    """(q,) float64: length of each component, the constant one included."""
    label: np.ndarray
    """(K,) text: the blocks, without the constant one."""
    power: np.ndarray
    """(K,) float64: sum of squares in each block."""
    gini_norm: float
    """Of the component lengths without the constant one."""
    gini_power: float
    """Of the block powers."""

    @property
    def fraction(self) -> np.ndarray:
        """(K,) share of each block in the power outside the constant; 0 where there is none."""
        return self.power / max(self.power.sum(), np.finfo(np.float64).tiny)

    def top(self, count: int) -> np.ndarray:
        """Labels of the strongest blocks, strongest first."""
        return self.label[np.argsort(-self.power, kind="stable")[:count]]


def basis_spectrum(matrix: np.ndarray, basis: Basis) -> Spectrum:
    """Spectrum of a matrix (rows, d) over its first `basis.size` rows (Nanda et al. 2023, section 4)."""
    components = basis.rows @ np.asarray(matrix, dtype=np.float64)[: basis.size].reshape(basis.size, -1)
    squares = (components**2).sum(axis=1)
    return _spectrum(basis.name, np.sqrt(squares), basis.components)


def singular_spectrum(matrix: np.ndarray) -> Spectrum:
    """Spectrum of a matrix in its own singular vectors, numbered from 1: what is left to say without a basis."""
    values = np.linalg.svd(np.asarray(matrix, dtype=np.float64).reshape(len(matrix), -1), compute_uv=False)
    return _spectrum("singular", values, tuple(Block(str(i + 1), (i,)) for i in range(len(values))))


def _spectrum(name: str, norm: np.ndarray, blocks: tuple[Block, ...]) -> Spectrum:
    power = np.array([sum(norm[row] ** 2 for row in block.rows) for block in blocks])
    kept = [row for block in blocks for row in block.rows]
    return Spectrum(
        basis=name,
        norm=norm,
        label=np.array([block.label for block in blocks], dtype=np.str_),
        power=power,
        gini_norm=gini(norm[kept]),
        gini_power=gini(power),
    )
