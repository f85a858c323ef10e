"""How alike the rows of a decoder are, beside random directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["largest_by_chance", "largest_cosines"]

_CHUNK = 1024


def largest_cosines(rows: Tensor) -> np.ndarray:
    """(m,) the largest cosine of each row (m, d) with another one; 0 with a row of nothing, NaN of one row alone."""
    if len(rows) < 2:
        return np.full(len(rows), np.nan)
    norms = rows.norm(dim=1, keepdim=True)
    unit = torch.where(norms > 0, rows / norms, 0.0)
    found = []
    for start in range(0, len(unit), _CHUNK):
        cosines = unit[start : start + _CHUNK] @ unit.T
        itself = torch.arange(len(cosines))
        cosines[itself, start + itself] = -torch.inf
        found.append(cosines.amax(dim=1))
    return torch.cat(found).double().clamp(-1, 1).numpy()


def largest_by_chance(count: int, width: int) -> np.ndarray:
    """(count,) ascending: quantiles of the largest cosine of one of so many random directions with another one.

    The cosines of a direction with the others are independent, with the density (1 - c^2)^((d - 3) / 2), so that their
    largest has the distribution function F(c)^(count - 1). At the quantiles (i + 1/2) / count.
    """
    from scipy.special import betaincinv

    if count < 2 or width < 2:
        return np.full(count, np.nan if count < 2 else 1.0)
    above = -np.expm1(np.log((np.arange(count) + 0.5) / count) / (count - 1))
    size = np.sqrt(1 - betaincinv((width - 1) / 2, 0.5, 2 * np.minimum(above, 1 - above)))
    return np.where(above <= 0.5, size, -size)
