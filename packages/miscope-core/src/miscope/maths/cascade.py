"""In what order components gather their units, and which of them keep them, of (T, K) cluster sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["STATES", "Cascade", "cascade", "stays_above"]

STATES = ("never", "transient", "growing", "committed")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Cascade:
    """When each of K components came, and what became of it."""

    state: np.ndarray
    """(K,) one of STATES."""
    arrived: np.ndarray
    """(K,) first time at which it has a cluster; NaN for never."""
    half: np.ndarray
    """(K,) first time at which it has half of its final size; NaN unless it has a cluster at the end."""
    left: np.ndarray
    """(K,) first time from which it has no cluster any more; NaN for one that has it at the end, or never had."""
    order: np.ndarray
    """Indices of the components with a cluster at the end, earliest first, the larger of two first."""


def cascade(share: np.ndarray, times: np.ndarray, *, cluster: float, final: float) -> Cascade:
    """The cascade of shares of all units (T, K).

    A component has a cluster at a share of `cluster`. At the end it is committed from a share of `final`, and growing
    between the two; one that had a cluster and no longer has it was transient.
    """
    there = share >= cluster
    ever, last = there.any(axis=0), there[-1]
    state = np.select([~ever, ever & ~last, share[-1] < final], STATES[:3], STATES[3])
    arrived = np.where(ever, times[there.argmax(axis=0)], np.nan)
    half = np.where(last, times[(share >= share[-1] / 2).argmax(axis=0)], np.nan)
    gone = np.minimum(len(there) - there[::-1].argmax(axis=0), len(there) - 1)
    left = np.where(ever & ~last, times[gone], np.nan)
    kept = np.flatnonzero(last)
    order = kept[np.lexsort((-share[-1, kept], arrived[kept]))]
    return Cascade(state=state.astype(np.str_), arrived=arrived, half=half, left=left, order=order)


def stays_above(values: np.ndarray, times: np.ndarray, level: float) -> float:
    """First time from which every value is above the level; NaN where the last is not."""
    below = np.flatnonzero(~(values > level))
    start = below[-1] + 1 if len(below) else 0
    return float(times[start]) if start < len(times) else np.nan
