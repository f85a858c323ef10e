"""The mean over a finite set of which some were drawn, each seen a few times: with the error of both draws."""

from __future__ import annotations

import numpy as np

from miscope.maths.trace_estimates import Estimate

__all__ = ["sampled_mean"]


def sampled_mean(values: np.ndarray, population: int) -> Estimate:
    """Mean of `population` numbers of which m were drawn without replacement, and its standard error.

    values: (m, s), each of them seen s times with an error of its own; s = 1 where it is known exactly. Of all of them
    (m = population) only that error is left; NaN where one was drawn of several. Cochran 1977, equation 10.14.
    """
    drawn, times = values.shape
    means = values.mean(axis=1)
    unseen = 1 - drawn / population
    variance = 0.0
    if unseen > 0:
        variance += unseen * float(means.var(ddof=1)) / drawn if drawn > 1 else np.nan
    if times > 1:
        variance += (1 - unseen) * float(values.var(axis=1, ddof=1).mean()) / (drawn * times)
    return Estimate(value=float(means.mean()), sem=float(np.sqrt(variance)))
