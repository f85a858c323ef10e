"""How far reconstructions are from what they reconstruct."""

from __future__ import annotations

import numpy as np

__all__ = [
    "cosine",
    "explained_without_bias",
    "needs_no_latent",
    "norm_ratio",
    "shrinkage",
    "spread",
    "squared_error",
    "unexplained",
]

_NOTHING = 1e-6
"""A share of the variance that is none."""


def squared_error(x: np.ndarray, found: np.ndarray) -> float:
    """Mean over rows of |x - x^|^2, of (N, d) float64."""
    return float(((x - found) ** 2).sum() / len(x))


def spread(x: np.ndarray) -> float:
    """Mean over rows of |x - mean x|^2; 0 where that is what rounding leaves of rows that are the same."""
    about = float(((x - x.mean(axis=0)) ** 2).sum() / len(x))
    return about if about > 1e-12 * float((x**2).sum() / len(x)) else 0.0


def unexplained(x: np.ndarray, found: np.ndarray) -> float:
    """Fraction of variance unexplained: sum |x - x^|^2 / sum |x - mean x|^2; NaN of rows that are the same.

    1 for the mean at every row; beyond where that would have been better.
    """
    about = spread(x)
    return squared_error(x, found) / about if about > 0 else np.nan


def needs_no_latent(fvu: float, skip_fvu: float) -> bool:
    """Whether as little is left over where no latent is active, so that the reconstruction says nothing of latents."""
    return skip_fvu <= fvu + _NOTHING


def explained_without_bias(x: np.ndarray, found: np.ndarray) -> float:
    """1 - sum var(x - x^) / sum var(x) over dimensions: what is wrong by the same everywhere counts nothing."""
    about = spread(x)
    return 1 - float((x - found).var(axis=0).sum()) / about if about > 0 else np.nan


def cosine(x: np.ndarray, found: np.ndarray) -> float:
    """Mean of the cosines of x and x^, over rows where neither is 0."""
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(found, axis=1)
    there = lengths > 0
    return float(((x * found).sum(axis=1)[there] / lengths[there]).mean()) if there.any() else np.nan


def norm_ratio(x: np.ndarray, found: np.ndarray) -> float:
    """Mean of |x^| / |x|, over rows where x is not 0."""
    length = np.linalg.norm(x, axis=1)
    there = length > 0
    return float((np.linalg.norm(found, axis=1)[there] / length[there]).mean()) if there.any() else np.nan


def shrinkage(x: np.ndarray, found: np.ndarray) -> float:
    """sum |x^|^2 / sum <x, x^>: below 1 where a larger x^ would be nearer (Rajamanoharan et al. 2024, Gated SAEs)."""
    along = float((x * found).sum())
    return float((found**2).sum()) / along if along > 0 else np.nan
