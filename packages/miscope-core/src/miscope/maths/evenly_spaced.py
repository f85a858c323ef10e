"""Some of many, evenly spaced: by number, or by where each lies."""

from __future__ import annotations

import numpy as np

__all__ = ["evenly_placed", "evenly_spaced"]


def evenly_spaced(count: int, most: int, *, nearest: bool = False) -> np.ndarray:
    """At most so many of the rows 0 ... count - 1, (m,) int64 ascending, the first and the last among them.

    nearest: places between rows are rounded to the nearest row, else down; what was computed of some rows stays so.
    """
    places = np.linspace(0, count - 1, min(count, most))
    return np.unique((places.round() if nearest else places).astype(np.int64))


def evenly_placed(places: np.ndarray, most: int) -> np.ndarray:
    """Rows of at most so many places, ascending (n,), that are nearest to as many evenly spaced from first to last."""
    wanted = np.linspace(places[0], places[-1], most)
    return np.unique(np.abs(places[None] - wanted[:, None]).argmin(axis=1))
