"""How a path goes on: its turns, its length, and how straight it was; from squared distances and products of moves."""

from __future__ import annotations

import numpy as np

__all__ = ["course"]


def course(
    moved: np.ndarray, turned: np.ndarray, *, from_start: np.ndarray, to_end: np.ndarray
) -> dict[str, np.ndarray]:
    """Turning, length, distances and straightness of a path through T points.

    moved: (T-1,) squared lengths of the moves. turned: (T-2,) products of each move with the next. from_start, to_end:
    (T,) squared distances. All four may be sums over coordinates or means, as long as they are alike.
    Turning is NaN beside a move of no length.
    """
    size, away = np.sqrt(moved), np.sqrt(from_start)
    both = size[1:] * size[:-1]
    length = np.concatenate([[0.0], np.cumsum(size)])
    return {
        "turning": turned / np.where(both > 0, both, np.nan),
        "length": length,
        "from_start": away,
        "to_end": np.sqrt(to_end),
        "straightness": np.asarray(away[-1] / length[-1] if length[-1] > 0 else np.nan),
    }
