"""Bayesian online change points: how long the present regime has lasted, after every point."""

from __future__ import annotations

import numpy as np

__all__ = ["change_probability", "run_lengths"]


def run_lengths(
    points: np.ndarray, *, hazard: float, noise: float | np.ndarray = 1.0, weight: float = 1.0
) -> np.ndarray:
    """(..., n, n) probability, after point t (row), that the present run has begun at point j (column): Adams & MacKay
    2007.

    points (..., n, m) are Gaussian of variance `noise` (...) about means that are drawn anew from a standard Gaussian
    with probability `hazard` at every point. weight: how much a point's likelihood counts, less than 1 where the m
    series tell the same story; at 1 the posterior is exact.
    """
    *many, n, m = points.shape
    noise = np.asarray(noise)[..., None]
    posterior = np.zeros((*many, n, n))
    log = np.zeros((*many, 1))
    total, count = np.zeros((*many, 1, m)), np.zeros(1)
    for t in range(n):
        point = points[..., t, None, :]
        spread = noise + noise / (noise + count)
        error = point - total / (noise + count)[..., None]
        log = log - 0.5 * weight * ((error**2).sum(axis=-1) / spread + m * np.log(2 * np.pi * spread))
        log -= np.logaddexp.reduce(log, axis=-1, keepdims=True)
        posterior[..., t, : t + 1] = np.exp(log)
        log = np.concatenate([log + np.log1p(-hazard), np.full((*many, 1), np.log(hazard))], axis=-1)
        total = np.concatenate([total + point, np.zeros((*many, 1, m))], axis=-2)
        count = np.append(count + 1, 0.0)
    return posterior


def change_probability(
    points: np.ndarray, *, hazard: float, noise: float | np.ndarray = 1.0, weight: float = 1.0, ahead: int = 5
) -> np.ndarray:
    """(..., n) probability that a run begins at each of the points (..., n, m), seen `ahead` points later; 0 at the
    first.

    Right after a point its own run is as likely as the hazard, whatever it holds; only what follows tells.
    """
    posterior = run_lengths(points, hazard=hazard, noise=noise, weight=weight)
    n = points.shape[-2]
    at = np.arange(n)
    probability = posterior[..., np.minimum(at + ahead, n - 1), at]
    probability[..., 0] = 0.0
    # Too little follows to tell.
    probability[..., n - ahead + 1 :] = 0.0
    return probability
