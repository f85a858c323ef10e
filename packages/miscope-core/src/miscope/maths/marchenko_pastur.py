"""The bulk of singular values that a matrix of independent entries has, and which values stick out of it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["LEAST", "Bulk", "bulk", "density", "median", "outliers"]

LEAST = 20
"""Singular values from which a bulk is fitted."""

_TRACY_WIDOM = 2.0234
"""99 % quantile of the Tracy-Widom law of order one (Bejan 2005, table 1)."""

_POINTS = 4001


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """A Marchenko-Pastur law for the eigenvalues s^2 of an m x n matrix."""

    variance: float
    """Of the entries."""
    shape: tuple[int, int]
    """(m, n) with m <= n."""

    @property
    def edges(self) -> tuple[float, float]:
        """Least and greatest eigenvalue of the law: variance (sqrt n -+ sqrt m)^2."""
        m, n = self.shape
        return self.variance * (n**0.5 - m**0.5) ** 2, self.variance * (n**0.5 + m**0.5) ** 2

    @property
    def limit(self) -> float:
        """Eigenvalue that the largest of a random matrix passes once in a hundred: the edge on Tracy-Widom's scale.

        (Johnstone 2001, theorem 1.1.)
        """
        m, n = self.shape
        centre = ((n - 1) ** 0.5 + m**0.5) ** 2
        spread = centre**0.5 * ((n - 1) ** -0.5 + m**-0.5) ** (1 / 3)
        return self.variance * (centre + _TRACY_WIDOM * spread)


def bulk(values: np.ndarray, shape: tuple[int, int]) -> Bulk | None:
    """The law whose median eigenvalue is that of the singular values, which a few outliers do not move.

    None with fewer than LEAST values, or where half of them are zero.
    """
    m, n = sorted(shape)
    squares = np.asarray(values, dtype=np.float64) ** 2
    middle = float(np.median(squares)) if len(squares) else 0.0
    if len(squares) < LEAST or not middle > 1e-12 * squares.max():
        return None
    return Bulk(variance=middle / (n * median(m / n)), shape=(m, n))


def outliers(values: np.ndarray, law: Bulk) -> int:
    """How many singular values lie above what a matrix without structure reaches once in a hundred."""
    return int((np.asarray(values, dtype=np.float64) ** 2 > law.limit).sum())


def density(at: np.ndarray, law: Bulk) -> np.ndarray:
    """Density of the law at eigenvalues; integrates to one over its edges."""
    m, _ = law.shape
    low, high = law.edges
    x = np.asarray(at, dtype=np.float64)
    inside = (x > low) & (x < high)
    x = np.where(inside, x, high)
    return np.where(inside, np.sqrt(np.abs((high - x) * (x - low))) / (2 * np.pi * law.variance * m * x), 0.0)


@functools.lru_cache(maxsize=256)
def median(ratio: float) -> float:
    """Median of the law of unit variance with m/n = ratio <= 1, in units of n."""
    low, high = (1 - ratio**0.5) ** 2, (1 + ratio**0.5) ** 2
    # x = middle - half cos(theta) makes the integrand smooth at both edges.
    theta = np.linspace(0, np.pi, _POINTS)
    half = (high - low) / 2
    x = (high + low) / 2 - half * np.cos(theta)
    mass = (half * np.sin(theta)) ** 2 / (2 * np.pi * ratio * np.maximum(x, np.finfo(float).tiny))
    cumulative = np.concatenate([[0.0], np.cumsum((mass[1:] + mass[:-1]) / 2)])
    return float(np.interp(0.5 * cumulative[-1], cumulative, x))
