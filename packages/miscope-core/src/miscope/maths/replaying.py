"""Values computed anew at some steps beside a record of them at others: the nearest, and how far apart they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Beside", "beside", "rounding"]

_TINY = 1e-300


class Beside(NamedTuple):
    """What a record has next to each of the steps (T,); NaN where its nearest entry is too far away to compare."""

    recorded: np.ndarray
    distance: np.ndarray
    """Steps from each to the entry compared with: negative where that was made before."""
    log_ratio: np.ndarray
    """Log of the value over the recorded one, less what rounding of the record explains."""
    moved: np.ndarray
    """How much the log of the record changes about that entry within twice the distance; 0 at a distance of 0."""


def beside(
    now: np.ndarray, steps: np.ndarray, record: tuple[np.ndarray, np.ndarray], *, reach: float, shift: int = 0
) -> Beside:
    """Positive values (T,) at ascending steps beside a record (its steps, its values), both (n,).

    reach: distance up to which two are compared, in spacings of the record there. shift: entries by which to look
    further on instead of at the nearest.
    """
    at, values = record
    nearest = _nearest(steps, at)
    spacing = _spacing(at)[nearest]
    distance = (at[nearest] - steps).astype(np.float64)
    chosen = np.clip(nearest + shift, 0, len(at) - 1)
    near = (np.abs(distance) <= reach * spacing) | (distance == 0)
    usable = near & (chosen == nearest + shift) & np.isfinite(now) & np.isfinite(values[chosen])
    within = 2 * np.maximum(np.abs(distance), np.where(distance == 0, 0, spacing))
    moved = np.array([_moved(record, i, reach) for i, reach in zip(chosen, within, strict=True)])
    ratio = _log_ratio(np.asarray(now, dtype=np.float64), values[chosen], rounding(values))
    return Beside(*(np.where(usable, column, np.nan) for column in (values[chosen], distance, ratio, moved)))


def rounding(values: np.ndarray) -> float:
    """Error of recorded losses by rounding: two units of their precision at the size of the largest.

    A cross-entropy is the difference of numbers no smaller than the largest loss. The precision is single where every
    value is a single-precision number, and double otherwise.
    """
    known = values[np.isfinite(values)]
    single = np.array_equal(known, known.astype(np.float32))
    return 2 * float(np.finfo(np.float32 if single else np.float64).eps) * float(np.abs(known).max(initial=0.0))


def _nearest(steps: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Index of the entry nearest to each step; of two as near the earlier."""
    after = np.clip(np.searchsorted(at, steps), 0, len(at) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(at[before] - steps) <= np.abs(at[after] - steps), before, after)


def _spacing(at: np.ndarray) -> np.ndarray:
    """(n,) the smaller of the gaps on either side of each entry; 0 for one alone."""
    if len(at) < 2:
        return np.zeros(len(at))
    gaps = np.diff(at).astype(np.float64)
    return np.minimum(np.concatenate([gaps[:1], gaps]), np.concatenate([gaps, gaps[-1:]]))


def _moved(record: tuple[np.ndarray, np.ndarray], index: int, within: float) -> float:
    at, values = record
    near = values[np.searchsorted(at, at[index] - within) : np.searchsorted(at, at[index] + within, side="right")]
    logs = np.log(np.maximum(near[np.isfinite(near)], _TINY))
    return float(np.abs(logs - np.log(max(values[index], _TINY))).max(initial=0.0))


def _log_ratio(now: np.ndarray, then: np.ndarray, error: float) -> np.ndarray:
    """log(now / then), 0 where `then` may be `now` within the error, and less by as much beyond."""
    low, high = np.maximum(then - error, 0.0), then + error
    kept = np.clip(now, low, high)
    return np.log(np.maximum(now, _TINY)) - np.log(np.maximum(kept, _TINY))
