"""The largest and the smallest eigenvalues of a symmetric matrix of which only products are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["RitzPairs", "lanczos"]

_EVERY = 5
"""Products from one look at what has converged to the next."""

_CONVERGED = 1e-4
"""Of a value: a residual that is small enough."""

_LOST = 1e-10
"""Of the largest number so far: a next direction that is shorter is rounding, and those before it span a space that
the matrix maps to itself."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class RitzPairs:
    """Approximate eigenvalues, and the unit vectors that go with them."""

    values: np.ndarray
    """(k,) ascending."""
    vectors: np.ndarray
    """(k, D) orthonormal."""


def lanczos(
    product: Callable[[np.ndarray], np.ndarray],
    size: int,
    *,
    ends: int,
    iterations: int,
    random: np.random.Generator,
) -> RitzPairs:
    """The `ends` smallest and as many largest eigenvalues, from at most so many products with vectors (D,).

    Each direction is made orthogonal to all before it, twice, so that no eigenvalue is found again for rounding alone;
    where these span a space that the matrix maps to itself it goes on with a random one, which finds eigenvalues that
    are there several times. With as many products as there are rows the spectrum is exact. Holds (iterations, D)
    numbers. Stops early where both ends have converged. Lanczos 1950; Parlett 1998, chapter 13.
    """
    basis = np.empty((min(iterations, size), size))
    diagonal, beside = np.zeros(len(basis)), np.zeros(len(basis))
    basis[0] = _next(random.standard_normal(size), basis[:0])
    for i in range(len(basis)):
        turned = product(basis[i])
        diagonal[i] = basis[i] @ turned
        turned = _without(turned, basis[: i + 1])
        length = float(np.linalg.norm(turned))
        if i + 1 == len(basis):
            break
        if length <= _LOST * max(np.abs(diagonal).max(), beside.max()):
            basis[i + 1] = _next(random.standard_normal(size), basis[: i + 1])
            continue
        beside[i], basis[i + 1] = length, turned / length
        if (i + 1) % _EVERY == 0 and _converged(diagonal[: i + 1], beside[:i], length, ends):
            basis = basis[: i + 1]
            break
    values, rotation = _tridiagonal(diagonal[: len(basis)], beside[: len(basis) - 1])
    both = sorted({*range(min(ends, len(basis))), *range(max(0, len(basis) - ends), len(basis))})
    return RitzPairs(values=values[both], vectors=rotation[:, both].T @ basis)


def _without(vector: np.ndarray, basis: np.ndarray) -> np.ndarray:
    for _ in range(2):
        vector = vector - (basis @ vector) @ basis
    return vector


def _next(vector: np.ndarray, basis: np.ndarray) -> np.ndarray:
    left = _without(vector, basis)
    return left / np.linalg.norm(left)


def _tridiagonal(diagonal: np.ndarray, beside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.linalg import eigh_tridiagonal

    values, rotation = eigh_tridiagonal(diagonal, beside)
    return values, rotation


def _converged(diagonal: np.ndarray, beside: np.ndarray, length: float, ends: int) -> bool:
    """Whether as many values at both ends have small residuals, which follow from the next direction's length."""
    if len(diagonal) < 2 * ends:
        return False
    values, rotation = _tridiagonal(diagonal, beside)
    small = length * np.abs(rotation[-1]) <= _CONVERGED * np.abs(values)
    return bool(small[:ends].all() and small[-ends:].all())
