"""How long things last where some outlast the watch: the Kaplan-Meier estimate with Greenwood's band."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["Survival", "kaplan_meier"]

_SLACK = 1e-12
"""What rounding may add to a share that is exactly a half."""


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

    time: (N,) of the event, or of the last checkpoint where observed (N,) is False; whoever is lost at a time was at
    risk then. The band is Greenwood's on the log(-log) scale, which stays within 0 and 1 (Kalbfleisch & Prentice 1980);
    it is NaN while nobody has had the event, and after everybody has. Kaplan & Meier 1958.
    """
    from scipy.stats import CensoredData, ecdf

    curve = ecdf(CensoredData(uncensored=time[observed], right=time[~observed])).sf
    with warnings.catch_warnings():
        # That the band is undefined at some times is what its NaN say.
        warnings.simplefilter("ignore", RuntimeWarning)
        band = curve.confidence_interval(0.95, method="log-log")
    share = curve.evaluate(grid)
    inside, below = (share > 0) & (share < 1), share <= 0.5 + _SLACK
    return Survival(
        share=share,
        low=np.where(inside, band.low.evaluate(grid), np.nan),
        high=np.where(inside, band.high.evaluate(grid), np.nan),
        median=float(grid[below.argmax()]) if below.any() else np.nan,
    )
