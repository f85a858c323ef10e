"""The loss along straight lines between weights, and how far it rises above the line between their losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from miscope.maths.landscape import mix

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Loss", "barrier", "profile"]

Loss: TypeAlias = "Callable[[Mapping[str, Tensor]], Mapping[str, float]]"
"""Of weights: 'total', what training descends, and the metrics, 'accuracy' among them where there is any."""


def profile(
    first: Mapping[str, Tensor], second: Mapping[str, Tensor], loss: Loss, alphas: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(A,) loss and accuracy at (1 - alpha) first + alpha second; the accuracy is NaN where there is none."""
    losses = [loss(mix(first, second, float(alpha))) for alpha in alphas]
    return np.array([each["total"] for each in losses]), np.array([each.get("accuracy", np.nan) for each in losses])


def barrier(losses: np.ndarray, alphas: np.ndarray) -> float:
    """max over alpha of L(alpha) - ((1 - alpha) L(0) + alpha L(1)), at least 0 (Frankle et al. 2020, section 2).

    The first and last alpha are the ends: 0 and 1.
    """
    # So written, a line between equal losses is exactly level.
    straight = losses[0] + alphas * (losses[-1] - losses[0])
    return float(max((losses - straight).max(), 0.0))
