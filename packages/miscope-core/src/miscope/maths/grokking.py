"""When a model memorised, began to generalise and finished, by every definition in use: pure functions of curves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from miscope.maths.divergence import divergences, undiverged
from miscope.snapshot import Series

__all__ = [
    "LEVELS",
    "THRESHOLDS",
    "Descent",
    "descent",
    "first_at_least",
    "first_below",
    "settled_below",
    "steepest",
    "upward",
]

LEVELS = (0.1, 0.5, 0.9)
"""Shares of the fall of log test loss from its peak to its end."""

THRESHOLDS = (4.0, 2.0, 1.0, 0.5, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
"""Losses whose crossings are told, nats."""


def first_below(series: Series, threshold: float) -> float:
    """First step whose value is below the threshold; NaN if none is."""
    return _first(series, series.values < threshold)


def first_at_least(series: Series, threshold: float) -> float:
    """First step whose value reaches the threshold; NaN if none does."""
    return _first(series, series.values >= threshold)


def settled_below(series: Series, threshold: float) -> float:
    """First step from which every value is below the threshold; NaN if the last is not."""
    above = np.flatnonzero(~(series.values < threshold))
    start = above[-1] + 1 if len(above) else 0
    return float(series.steps[start]) if start < len(series.steps) else np.nan


def steepest(series: Series, window: int) -> float:
    """Step between the two adjacent windows of so many records between whose means the log falls most; NaN if it never
    falls or there are too few records.
    """
    if len(series.values) < 2 * window:
        return np.nan
    total = np.concatenate([[0.0], np.cumsum(_log(series.values))])
    mean = (total[window:] - total[:-window]) / window
    fall = mean[:-window] - mean[window:]
    return float(series.steps[fall.argmax() + window]) if fall.max() > 0 else np.nan


def upward(series: Series, threshold: float, *, after: float) -> np.ndarray:
    """Steps later than `after` at which the value rises from below the threshold to it or above: slingshots."""
    below = series.values < threshold
    rises = np.flatnonzero(below[:-1] & ~below[1:]) + 1
    steps = series.steps[rises]
    return steps[steps > after] if np.isfinite(after) else steps[:0]


@final
@dataclass(frozen=True, kw_only=True)
class Descent:
    """The fall of a test loss from its peak."""

    peak: float
    """Step of the peak."""
    peak_loss: float
    final_loss: float
    """Where the fall ends: the median of the last records, or of those before the minimum if it diverged afterwards."""
    levels: tuple[float, ...]
    """Steps at which the log loss has fallen by each of LEVELS; NaN where it did not fall."""
    fell: bool
    """Whether after the peak it ever was below half of its first value and of guessing; else there is nothing to date.
    """
    rebound: bool
    """Whether it ends above three times its minimum."""
    diverged: bool
    """Whether it came up again after it had fallen: above half of its first peak, or to end where it had not fallen."""


def descent(test: Series, *, guessing: float = np.inf, final_records: int | None = None) -> Descent:
    """The first descent of a test loss.

    guessing: loss of an answer that does not look at the input; a model that comes back to it, or to where it began,
    has learnt nothing of the test set. What lies in a divergence is left out, whether it recovers or not. The peak is
    the largest loss before the smallest one, if that is a fall by half at least; so a slow rise after the descent is
    not taken for the peak. Otherwise, as in plain overfitting, it is the largest of all. The end is the median of the
    last `final_records`, by default max(5, 1 %) of them.
    """
    ends, came_up = test.values, len(divergences(test.values)) > 0
    test = undiverged(test)
    loss = test.values
    best = int(np.argmin(loss))
    before = int(np.argmax(loss[: best + 1]))
    peak = before if loss[best] < loss[before] / 2 else int(np.argmax(loss))
    line = min(loss[0], guessing) / 2
    fell = bool((loss[peak:] < line).any())
    window = final_records or max(5, round(0.01 * len(loss)))
    ends_high = fell and bool(np.median(loss[-window:]) > line)
    lowest = peak + int(np.argmin(loss[peak:]))
    end = loss[max(peak, lowest - window + 1) : lowest + 1] if ends_high else loss[-window:]
    top, bottom = np.log(loss[peak]), float(np.median(_log(end)))
    fallen = _log(loss[peak:])
    steps = Series(steps=test.steps[peak:], values=fallen)
    levels = tuple(first_below(steps, top - q * (top - bottom)) if fell else np.nan for q in LEVELS)
    return Descent(
        peak=float(test.steps[peak]),
        peak_loss=float(loss[peak]),
        final_loss=float(np.exp(bottom)),
        levels=levels,
        fell=fell,
        rebound=bool(ends[-1] > 3 * loss[best]),
        diverged=came_up or ends_high,
    )


def _first(series: Series, reached: np.ndarray) -> float:
    return float(series.steps[reached.argmax()]) if reached.any() else np.nan


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(values, np.finfo(np.float64).tiny))
