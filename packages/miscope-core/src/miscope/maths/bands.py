"""Shares of a whole, summed over bands of neighbouring components, and how concentrated they are."""

from __future__ import annotations

import numpy as np

__all__ = ["band_of", "effective_number", "herfindahl"]


def band_of(components: int, bands: int) -> np.ndarray:
    """(K,) number of the band each component lies in: bands of neighbours, as equal in size as can be."""
    return np.arange(components) * bands // max(components, 1)


def herfindahl(sizes: np.ndarray) -> np.ndarray:
    """Sum of squared shares over the last axis: 1 / n for n equal ones, 1 for a single one; NaN where all are 0."""
    total = sizes.sum(axis=-1)
    return np.where(total > 0, (sizes**2).sum(axis=-1) / np.where(total > 0, total, 1) ** 2, np.nan)


def effective_number(sizes: np.ndarray) -> np.ndarray:
    """exp(entropy) of the shares over the last axis: how many equal ones would be as uncertain; NaN where all are 0."""
    total = sizes.sum(axis=-1, keepdims=True)
    share = sizes / np.maximum(total, 1e-300)
    entropy = -(share * np.log(np.where(share > 0, share, 1.0))).sum(axis=-1)
    return np.where(total[..., 0] > 0, np.exp(entropy), np.nan)
