"""How noisy gradients of single examples are beside their mean: the batch size at which noise and slope are alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["GradientNoise", "gradient_noise"]


@final
@dataclass(frozen=True, kw_only=True)
class GradientNoise:
    """Of gradients of single examples."""

    scale: float
    """tr Sigma / |G|^2, in examples; NaN where the estimate of |G|^2 is not positive."""
    sem: float
    """Its standard error by the jackknife."""
    variance: float
    """tr Sigma."""
    slope: float
    """|G|^2."""


def gradient_noise(squares: np.ndarray, dots: np.ndarray, mean_square: float, *, unseen: float) -> GradientNoise:
    """The simple noise scale from n gradients g_i with mean G: both parts without bias, their ratio with a small one.

    squares: (n,) |g_i|^2; dots: (n,) g_i . G; mean_square: |G|^2. unseen: the share of the population that was not
    drawn; 1 of an endless one. tr Sigma = sum |g_i - G|^2 / (n - 1), and unseen tr Sigma / n is taken off |G|^2. The
    standard error takes out one gradient at a time; it needs three. McCandlish et al. 2018, appendix A.1.
    """
    count = len(squares)
    variance, slope = _parts(squares.sum(), np.array(mean_square), count, unseen)
    scale = float(_ratio(variance, slope))
    sem = float("nan")
    if unseen == 0:
        sem = 0.0
    elif count > 2:
        left = (count**2 * mean_square - 2 * count * dots + squares) / (count - 1) ** 2
        without = _ratio(*_parts(squares.sum() - squares, left, count - 1, unseen))
        sem = float(np.sqrt(unseen * (count - 1) * np.square(without - without.mean()).mean()))
    return GradientNoise(scale=scale, sem=sem, variance=float(variance), slope=float(slope))


def _parts(total: np.ndarray, mean_square: np.ndarray, count: int, unseen: float) -> tuple[np.ndarray, np.ndarray]:
    """tr Sigma and |G|^2 from the sum of squares and the square of the mean of so many."""
    variance = np.maximum(total - count * mean_square, 0.0) / (count - 1)
    return variance, mean_square - unseen * variance / count


def _ratio(variance: np.ndarray, slope: np.ndarray) -> np.ndarray:
    return np.where(slope > 0, variance / np.where(slope > 0, slope, 1.0), np.nan)
