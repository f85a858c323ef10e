"""When something happens in runs of which some ended before it did: the curve at the events, its median, its doubt."""

from __future__ import annotations

import numpy as np

from miscope.maths.kaplan_meier import kaplan_meier

__all__ = ["median_time", "median_times", "survival"]


def survival(times: np.ndarray, happened: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct times of events, ascending, and the share to which it has not happened after each (Kaplan & Meier 1958).

    times (n,): when it happened, or until when the run was watched; happened (n,) tells which.
    """
    at = np.unique(times[happened])
    return at, kaplan_meier(times, happened, at).share


def median_time(times: np.ndarray, happened: np.ndarray) -> float:
    """First time at which it has happened to at least half; infinite where it has not by the end."""
    at, left = survival(times, happened)
    reached = left <= 0.5 + 1e-12
    return float(at[reached.argmax()]) if reached.any() else float("inf")


def median_times(times: np.ndarray, happened: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """(draws,) the median over runs drawn with replacement, the bootstrap's view of its doubt."""
    generator = np.random.default_rng(seed)
    chosen = generator.integers(len(times), size=(draws, len(times)))
    return np.array([median_time(times[rows], happened[rows]) for rows in chosen])
