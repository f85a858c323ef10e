"""Curves that might as well have been recorded: the same course with its fluctuations drawn anew in blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from miscope.snapshot import Series

__all__ = ["course", "redrawn", "thinned"]

_DEGREE = 5


def thinned(series: Series, most: int) -> Series:
    """Every n-th record, so that at most `most` are left; the last one always is."""
    stride = -(-len(series.steps) // most)
    start = (len(series.steps) - 1) % stride
    return Series(steps=series.steps[start::stride], values=series.values[start::stride])


def course(series: Series, *, logarithmic: bool) -> Series:
    """The curve without its fluctuations: local polynomials of degree 5 over four blocks, of the log for losses.

    A moving average would round off a sharp fall, and take what it cut away for fluctuations (Savitzky & Golay 1964).
    """
    from scipy.signal import savgol_filter

    values = _scaled(series, logarithmic)
    if len(values) >= 8:
        window = min(4 * _block(len(values)) + 1, len(values) - 1 + len(values) % 2)
        values = np.asarray(savgol_filter(values, window, min(_DEGREE, window - 1)))
    return Series(steps=series.steps, values=np.exp(values) if logarithmic else values)


def redrawn(series: Series, *, draws: int, seed: int, logarithmic: bool) -> Iterator[Series]:
    """The course with its residuals drawn anew, in blocks of n^(1/3) records from nearby.

    Fluctuations keep their correlation in time and, since a block comes from within a fiftieth of the curve, their size
    at that time: a local block bootstrap (Kunsch 1989; Paparoditis & Politis 2002). Compare what is measured on it with
    the same of `course`. With fewer than eight records there is nothing to draw from, and the curve comes as it is.
    """
    random = np.random.default_rng(seed)
    n, block = len(series.values), _block(len(series.values))
    smooth = _scaled(course(series, logarithmic=logarithmic), logarithmic)
    residual = _scaled(series, logarithmic) - smooth
    reach = max(block, n // 50)
    origin = np.arange(0, n, block)
    for _ in range(draws):
        starts = np.clip(origin + random.integers(-reach, reach + 1, size=len(origin)), 0, max(n - block, 0))
        drawn = smooth + residual[(starts[:, None] + np.arange(block)).ravel()[:n] % n]
        yield Series(steps=series.steps, values=np.exp(drawn) if logarithmic else drawn)


def _block(records: int) -> int:
    return max(2, round(records ** (1 / 3)))


def _scaled(series: Series, logarithmic: bool) -> np.ndarray:
    return np.log(np.maximum(series.values, np.finfo(float).tiny)) if logarithmic else series.values
