"""What the first principal components leave unexplained: what a code of as many numbers does without any training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from miscope_sae.measuring.fidelity import spread

__all__ = ["PrincipalComponents"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class PrincipalComponents:
    """A mean and directions around it, by falling variance."""

    mean: np.ndarray
    """(d,) float64."""
    directions: np.ndarray
    """(d, d) float64, a direction in each column."""

    @classmethod
    def of(cls, x: np.ndarray) -> PrincipalComponents:
        """Of (N, d) rows."""
        mean = x.mean(axis=0)
        centred = x - mean
        _, directions = np.linalg.eigh(centred.T @ centred)
        return cls(mean=mean, directions=directions[:, ::-1])

    def unexplained(self, x: np.ndarray, count: int) -> float:
        """Fraction of the variance of other rows (N, d) that the first so many leave over; NaN where there is none."""
        about = spread(x)
        left = ((x - self.mean) @ self.directions[:, count:]) ** 2
        return float(left.sum() / len(x) / about) if about > 0 else np.nan
