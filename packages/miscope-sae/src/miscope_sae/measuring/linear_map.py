"""What a linear map of the inputs does: the baseline of whoever reconstructs one site from another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

__all__ = ["linear_map"]

Map: TypeAlias = "Callable[[np.ndarray], np.ndarray]"


def linear_map(x: np.ndarray, y: np.ndarray) -> Map:
    """(N, d) -> (N, d_out) with the least squared error of y, a constant among it; the smallest of several."""
    mean_x, mean_y = x.mean(axis=0), y.mean(axis=0)
    slope, *_ = np.linalg.lstsq(x - mean_x, y - mean_y, rcond=None)
    return lambda given: (given - mean_x) @ slope + mean_y
