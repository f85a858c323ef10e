"""Fewer points of a curve that look the same: the first, the last, and the extremes of each stretch between them."""

from __future__ import annotations

import numpy as np

from miscope.snapshot import Series

__all__ = ["FEWEST", "thinned"]

FEWEST = 4
"""Points: the first, the last and two extremes."""


def thinned(series: Series, most: int) -> Series:
    """At most so many of its points, in order; the same for the same points, and all of them where there are no more.

    most: FEWEST or more. The points between the first and the last are divided into stretches of equally many; of each
    the least and the greatest value stay, the earlier one where two are equal. NaN is neither, but where a stretch has
    nothing else its first stays.
    """
    count = len(series.steps)
    if count <= most:
        return series
    inner = np.asarray(series.values[1:-1], dtype=np.float64)
    width = -(-len(inner) // ((most - 2) // 2))
    stretches = -(-len(inner) // width)
    padded = np.full(stretches * width, np.nan)
    padded[: len(inner)] = inner
    rows, first = padded.reshape(stretches, width), 1 + width * np.arange(stretches)
    unknown = np.isnan(rows)
    least = first + np.where(unknown, np.inf, rows).argmin(axis=1)
    greatest = first + np.where(unknown, -np.inf, rows).argmax(axis=1)
    kept = np.unique(np.concatenate([[0], least, greatest, [count - 1]]))
    return Series(steps=series.steps[kept], values=series.values[kept])
