"""Statistics of angles: how far they point the same way, and how far uniform ones do."""

from __future__ import annotations

import numpy as np

__all__ = ["coherence", "direction", "null_coherence", "rayleigh", "wrapped"]


def wrapped(angles: np.ndarray) -> np.ndarray:
    """The same angles in (-pi, pi]."""
    return np.pi - np.mod(np.pi - angles, 2 * np.pi)


def coherence(angles: np.ndarray) -> float:
    """Length of the mean of exp(i angle): 1 for equal angles, about 1 / sqrt n for uniform ones; NaN of none."""
    return float(np.abs(np.exp(1j * angles).mean())) if len(angles) else np.nan


def direction(angles: np.ndarray) -> float:
    """Angle of the mean of exp(i angle), in (-pi, pi]; NaN of none."""
    return float(np.angle(np.exp(1j * angles).mean())) if len(angles) else np.nan


def null_coherence(count: int, level: float = 0.05) -> float:
    """Coherence that so many independent uniform angles exceed with probability `level`; NaN of none.

    From the Rayleigh test's p = exp(sqrt(1 + 4n + 4n^2 (1 - R^2)) - (1 + 2n)), solved for R (Zar 1999, eq. 27.4); it
    is good to 0.01 from n = 5 on. Of a single angle the coherence is always 1.
    """
    if count < 2:
        return 1.0 if count else np.nan
    log = np.log(level)
    return float(np.sqrt(np.clip(-(log**2 + 2 * log * (1 + 2 * count)) / (4 * count**2), 0, 1)))


def rayleigh(angles: np.ndarray) -> float:
    """P-value of the angles' coherence, were they independent and uniform: the Rayleigh test; NaN of fewer than two.

    exp(sqrt(1 + 4n + 4n^2 (1 - R^2)) - (1 + 2n)) of the coherence R (Zar 1999, eq. 27.4).
    """
    n = len(angles)
    if n < 2:
        return np.nan
    return float(np.exp(np.sqrt(1 + 4 * n + 4 * n**2 * (1 - coherence(angles) ** 2)) - (1 + 2 * n)))
