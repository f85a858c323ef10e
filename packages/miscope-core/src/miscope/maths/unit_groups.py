"""Groups of units as clouds in weight space: where they lie, how wide and in how many directions they spread."""

from __future__ import annotations

import numpy as np

__all__ = ["leading_shares", "shuffled_shares", "spread"]


def spread(points: np.ndarray) -> tuple[np.ndarray, float]:
    """(centre, mean distance to it) of points (n, d)."""
    centre = points.mean(axis=0)
    return centre, float(np.linalg.norm(points - centre, axis=1).mean())


def leading_shares(points: np.ndarray, count: int) -> np.ndarray:
    """(count,) share of the variance about their centre in each of the first components; 0 beyond the last."""
    values = np.linalg.svd(points - points.mean(axis=0), compute_uv=False) ** 2
    shares = np.zeros(count)
    kept = values[:count]
    shares[: len(kept)] = kept / max(float(values.sum()), np.finfo(float).tiny)
    return shares


def shuffled_shares(points: np.ndarray, labels: np.ndarray, *, groups: int, draws: int, seed: int) -> np.ndarray:
    """(draws, groups) share of variance in the first two components of groups as large, of units drawn at random."""
    random = np.random.default_rng(seed)
    shares = np.zeros((draws, groups))
    for i in range(draws):
        mixed = random.permutation(labels)
        shares[i] = [leading_shares(points[mixed == g], 2).sum() for g in range(groups)]
    return shares
