"""How long things last where some outlast the watch: the Kaplan-Meier estimate with Greenwood's band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["Survival", "kaplan_meier"]

_Z = 1.959963984540054
"""Standard normal quantile of a 95 % interval."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Survival:
    """Share that has not yet had its event just after each time, (T,), and its 95 % band."""

    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    median: float
    """First time at which no more than half are left; NaN where more than half outlast the watch."""


def kaplan_meier(time: np.ndarray, observed: np.ndarray, grid: np.ndarray) -> Survival:
    """S(t) = prod over t_j <= t of (1 - d_j / n_j), on an ascending grid that holds every event time.

    time: (N,) of the event, or of the last look where observed (N,) is False; whoever is lost at a time was at risk
    then. The band is Greenwood's on the log(-log) scale, which stays within 0 and 1 (Kalbfleisch & Prentice 1980);
    it is NaN while nobody has had the event, and after everybody has. Kaplan & Meier 1958.
    """
    ordered = np.sort(time)
    at_risk = len(time) - np.searchsorted(ordered, grid, side="left")
    events = np.sort(time[observed])
    died = np.searchsorted(events, grid, side="right") - np.searchsorted(events, grid, side="left")
    left = at_risk - died
    share = np.cumprod(np.where(at_risk > 0, left / np.maximum(at_risk, 1), 1.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(np.where(died > 0, died / (at_risk * left.astype(float)), 0.0))
        spread = np.exp(_Z * np.sqrt(variance) / np.abs(np.log(share)))
        low, high = share**spread, share ** (1 / spread)
    inside = (share > 0) & (share < 1)
    below = share <= 0.5
    return Survival(
        share=share,
        low=np.where(inside, low, np.nan),
        high=np.where(inside, high, np.nan),
        median=float(grid[below.argmax()]) if below.any() else np.nan,
    )
