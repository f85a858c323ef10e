"""Which rows are really different."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["alike", "fewer_distinct"]

_DIRECTIONS = 4
"""In which rows are compared: two that differ do so in one of them, but for a chance of some in a million."""
_TOLERANCE = 1e-5
"""Of the root mean square norm of the rows: far more than float32 makes of one input in another batch."""


def alike(rows: np.ndarray) -> np.ndarray:
    """(n,) a number for each of (n, d) rows, from 0 without a gap; the same for those that differ by rounding alone.

    Each is compared with its neighbours in a few directions.
    """
    exact = rows.astype(np.float64)
    tolerance = _TOLERANCE * float(np.sqrt((exact**2).sum(1).mean()))
    drawn = np.random.default_rng(0).standard_normal((_DIRECTIONS, rows.shape[1]))
    group = np.zeros(len(rows), dtype=np.int64)
    for direction in drawn:
        along = exact @ direction
        order = np.lexsort((along, group))
        apart = (np.diff(along[order]) > tolerance) | (np.diff(group[order]) > 0)
        group[order] = np.concatenate([[0], np.cumsum(apart)])
    return group


def fewer_distinct(inputs: Tensor, count: int) -> bool:
    """Whether fewer than so many of (N, ...) inputs differ; they are compared only where there are as many at all."""
    return len(inputs) < count or int(alike(inputs.flatten(1).numpy()).max()) + 1 < count
