"""Which components of a basis a bilinear form over tokens couples to which: a query-key circuit's spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from miscope.basis import Basis

__all__ = ["CircuitSpectrum", "circuit_singular_values", "circuit_spectrum"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class CircuitSpectrum:
    """Where the power of a form x' M y lies, all components of either side that are constant left out."""

    within: np.ndarray
    """(K,) share of each block coupled to itself."""
    across: float
    """Share of blocks coupled to other ones."""
    power: float
    """Sum of squares outside the constants."""


def circuit_spectrum(left: np.ndarray, right: np.ndarray, basis: Basis) -> CircuitSpectrum:
    """Spectrum of left right', both (tokens, rank) of which the basis' rows are read."""
    rows, columns = (basis.rows @ side[: basis.size] for side in (left, right))
    form = (rows @ columns.T) ** 2
    kept = [row for block in basis.components for row in block.rows]
    power = float(form[np.ix_(kept, kept)].sum())
    # What rounding leaves of a constant is not power.
    if power <= 1e-24 * form.sum():
        return CircuitSpectrum(within=np.zeros(len(basis.components)), across=0.0, power=0.0)
    within = np.array([form[np.ix_(block.rows, block.rows)].sum() for block in basis.components])
    return CircuitSpectrum(within=within / power, across=float(1 - within.sum() / power), power=power)


def circuit_singular_values(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Singular values of left right', (tokens, rank) each, without the matrix over all pairs of tokens."""
    triangles = [np.asarray(np.linalg.qr(side, mode="r")) for side in (left, right)]
    inner = triangles[0] @ triangles[1].T
    return np.linalg.svd(inner, compute_uv=False)
