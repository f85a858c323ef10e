"""When something happens in runs of which some ended before it did: the curve at the events, its median, its doubt."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from miscope.maths.kaplan_meier import kaplan_meier

__all__ = ["median_interval", "median_time", "median_times", "quantile_time", "survival"]

_SLACK = 1e-12
"""What rounding may add to a share that is exactly a half."""


def survival(times: np.ndarray, happened: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct times of events, ascending, and the share to which it has not happened after each (Kaplan & Meier 1958).

    times (n,): when it happened, or until when the run was watched; happened (n,) tells which.
    """
    at = np.unique(times[happened])
    return at, kaplan_meier(times, happened, at).share


def quantile_time(times: np.ndarray, happened: np.ndarray, share: float) -> float:
    """First time by which it has happened to at least this share; infinite where it has not by the end."""
    at, left = survival(times, happened)
    reached = left <= 1 - share + _SLACK
    return float(at[reached.argmax()]) if reached.any() else float("inf")


def median_time(times: np.ndarray, happened: np.ndarray) -> float:
    """First time at which it has happened to at least half; infinite where it has not by the end."""
    return quantile_time(times, happened, 0.5)


def median_times(times: np.ndarray, happened: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """(draws,) the median over runs drawn with replacement, the bootstrap's view of its doubt."""
    chosen = np.random.default_rng(seed).integers(len(times), size=(draws, len(times)))
    return _medians(times[chosen], happened[chosen])


def median_interval(
    times: np.ndarray, happened: np.ndarray, *, draws: int, seed: int
) -> tuple[float, float, Literal["BCa", "percentile"]]:
    """95 % interval of the median over runs by bootstrap, and by which.

    Bias-corrected and accelerated (Efron 1987) where it happened in every run. Where some ended before, or leaving out
    no run moves the median, its acceleration is not defined: then the percentiles (Efron 1981), which may be infinite.
    """
    without = np.sort(times)[[(len(times) - 2) // 2, (len(times) - 2) // 2 + 1]]
    if not happened.all() or without[0] == without[1]:
        drawn = np.sort(median_times(times, happened, draws=draws, seed=seed))
        return float(drawn[int(0.025 * draws)]), float(drawn[min(int(0.975 * draws), draws - 1)]), "percentile"
    from scipy.stats import bootstrap

    def median(rows: np.ndarray, axis: int = -1) -> np.ndarray:
        ordered = np.sort(rows, axis=axis)
        return np.take(ordered, (rows.shape[axis] - 1) // 2, axis=axis)

    # As scipy before 1.15 calls it, and later ones still understand.
    generator: dict[str, Any] = {"random_state": np.random.default_rng(seed)}
    result = bootstrap((times,), median, n_resamples=draws, method="BCa", vectorized=True, **generator)
    low, high = result.confidence_interval
    return float(low), float(high), "BCa"


def _medians(times: np.ndarray, happened: np.ndarray) -> np.ndarray:
    """The Kaplan-Meier median of each row (draws, n); at the same time events come before what is lost from view."""
    order = np.lexsort((~happened, times), axis=-1)
    ordered, seen = (np.take_along_axis(each, order, axis=-1) for each in (times, happened))
    at_risk = times.shape[-1] - np.arange(times.shape[-1])
    left = np.cumprod(np.where(seen, 1 - 1 / at_risk, 1.0), axis=-1)
    reached = left <= 0.5 + _SLACK
    first = np.take_along_axis(ordered, reached.argmax(axis=-1)[:, None], axis=-1)[:, 0]
    return np.where(reached.any(axis=-1), first, np.inf)
