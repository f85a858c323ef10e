"""Bands around the median of several curves: at each point, and around all of them at once."""

from __future__ import annotations

import numpy as np

__all__ = ["medians", "pointwise", "redrawn_medians", "simultaneous"]


def medians(rows: np.ndarray) -> np.ndarray:
    """Median over the second last axis of (..., n, G), of what is not NaN there; NaN where all is."""
    ordered = np.sort(rows, axis=-2)
    count = np.isfinite(rows).sum(axis=-2, keepdims=True)
    low, high = (np.take_along_axis(ordered, np.maximum(k, 0), axis=-2) for k in ((count - 1) // 2, count // 2))
    high = np.where(count % 2 == 1, low, high)
    return np.where(count > 0, (low + high) / 2, np.nan)[..., 0, :]


def redrawn_medians(rows: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """(draws, G) medians of curves (n, G) drawn with replacement, whole."""
    random = np.random.default_rng(seed)
    return np.stack([medians(rows[random.integers(len(rows), size=len(rows))]) for _ in range(draws)])


def pointwise(drawn: np.ndarray, level: float = 0.95) -> np.ndarray:
    """(2, G) between which so many of the draws (B, G) lie at each point."""
    return np.nanquantile(drawn, ((1 - level) / 2, (1 + level) / 2), axis=0)


def simultaneous(drawn: np.ndarray, centre: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, float]:
    """(2, G) band in which the whole curve lies with probability `level`, and its half width in standard errors.

    centre +- c se, c the quantile of the largest |draw - centre| / se over the points: the sup-t band (Montiel Olea &
    Plagborg-Moller 2019). c is 1.96 for a single Gaussian point and grows with the number of independent ones.
    """
    error = np.nanstd(drawn, axis=0)
    usable = error > 0
    if not usable.any():
        return np.stack([centre, centre]), 0.0
    away = np.abs(drawn[:, usable] - centre[usable]) / error[usable]
    wide = float(np.quantile(np.nanmax(away, axis=1), level))
    return np.stack([centre - wide * error, centre + wide * error]), wide
