"""How many directions a cloud of points takes up: eigenvalues of its covariance, and what its classes explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Dimensions", "between_classes", "centred_gram", "dimensions"]

_ROUNDING = 1e-10
"""Share of the largest eigenvalue below which one is rounding: gram matrices are summed in float32."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Dimensions:
    """What the eigenvalues of a covariance say."""

    eigenvalue: np.ndarray
    """(d,) float64, falling; variance along each principal direction."""
    participation_ratio: float
    """(sum l)^2 / sum l^2: how many equal directions would be as spread out; 0 without any variance."""

    @property
    def variance(self) -> float:
        return float(self.eigenvalue.sum())

    def holding(self, share: float) -> int:
        """The fewest directions that hold this share of the variance; 0 without any."""
        if not self.variance > 0:
            return 0
        return int(np.searchsorted(np.cumsum(self.eigenvalue) / self.variance, share) + 1)


def centred_gram(points: Tensor) -> Tensor:
    """Covariance (d, d), float64, of points (N, d) of any floating type; the products are summed in theirs."""
    centred = points - points.mean(dim=0)
    return (centred.T @ centred).double() / len(points)


def dimensions(covariance: Tensor) -> Dimensions:
    """Of a covariance (d, d)."""
    values = torch.linalg.eigvalsh(covariance).flip(0).clamp_min(0)
    values = torch.where(values > _ROUNDING * values[0], values, 0.0)
    power = float(values.square().sum())
    return Dimensions(
        eigenvalue=values.numpy(), participation_ratio=float(values.sum()) ** 2 / power if power > 0 else 0.0
    )


def between_classes(points: Tensor, classes: Tensor) -> Tensor:
    """Covariance (d, d), float64, of points (N, d) moved to the mean of their class."""
    count = torch.bincount(classes).double()
    sums = torch.zeros(len(count), points.shape[1], dtype=points.dtype)
    sums.index_add_(0, classes, points - points.mean(dim=0))
    means = sums.double() / count.clamp_min(1)[:, None]
    return (means * count[:, None]).T @ means / len(points)
