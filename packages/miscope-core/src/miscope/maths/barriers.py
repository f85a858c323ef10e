"""The loss along straight lines between weights, and how far it rises above the line between their losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope.maths.landscape import Landscape, mix

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["barrier", "profile"]


def profile(
    first: Mapping[str, Tensor], second: Mapping[str, Tensor], loss: Landscape, alphas: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(A,) loss and accuracy at (1 - alpha) first + alpha second."""
    values = [loss(mix(first, second, float(alpha))) for alpha in alphas]
    return np.array([v for v, _ in values]), np.array([a for _, a in values])


def barrier(losses: np.ndarray, alphas: np.ndarray) -> float:
    """max over alpha of L(alpha) - ((1 - alpha) L(0) + alpha L(1)), at least 0 (Frankle et al. 2020, section 2).

    The first and last alpha are the ends: 0 and 1.
    """
    # So written, a line between equal losses is exactly level.
    straight = losses[0] + alphas * (losses[-1] - losses[0])
    return float(max((losses - straight).max(), 0.0))
