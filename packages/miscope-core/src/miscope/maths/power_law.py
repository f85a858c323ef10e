"""A power law fitted to the tail of a spectrum, and how badly it fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["LEAST_VALUES", "WORST_FIT", "PowerLaw", "power_law"]

LEAST_VALUES = 50
"""Values below which an exponent is not to be had."""

WORST_FIT = 0.15
"""Kolmogorov-Smirnov distance above which what was fitted is no power law."""

_LEAST_TAIL = 10


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PowerLaw:
    """density ~ x^-alpha from x_min on. Fields are NaN where there is nothing to fit."""

    alpha: float
    """NaN with fewer than LEAST_VALUES values, or a distance above WORST_FIT."""
    distance: float
    """Kolmogorov-Smirnov distance between the tail and the law; a number wherever there is a tail."""
    start: float
    """x_min."""
    count: int
    """Values in the tail."""


def power_law(values: np.ndarray) -> PowerLaw:
    """Maximum-likelihood exponent of the tail that starts where the fit is best (Clauset, Shalizi & Newman 2009).

    alpha = 1 + n / sum ln(x / x_min), x_min by the least Kolmogorov-Smirnov distance, with ten values at least above.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    x = x[x > 1e-12 * x.max(initial=0)]
    if len(x) < _LEAST_TAIL:
        return PowerLaw(alpha=np.nan, distance=np.nan, start=np.nan, count=0)
    fits = [_fit(x[start:]) for start in range(len(x) - _LEAST_TAIL + 1)]
    best = int(np.argmin([distance for _, distance in fits]))
    alpha, distance = fits[best]
    unfit = len(x) < LEAST_VALUES or distance > WORST_FIT
    return PowerLaw(alpha=np.nan if unfit else alpha, distance=distance, start=float(x[best]), count=len(x) - best)


def _fit(tail: np.ndarray) -> tuple[float, float]:
    """Exponent and Kolmogorov-Smirnov distance of an ascending tail."""
    n = len(tail)
    logs = np.log(tail / tail[0])
    if not logs[-1] > 0:
        return np.nan, 1.0
    alpha = 1 + n / logs.sum()
    expected = 1 - np.exp(-(alpha - 1) * logs)
    above, below = np.arange(1, n + 1) / n, np.arange(n) / n
    return float(alpha), float(np.maximum(np.abs(above - expected), np.abs(expected - below)).max())
