"""Whether a model that is 80 % sure is right four times in five: reliability in bins, and its error beside a null."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["Reliability", "calibration_null", "reliability"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Reliability:
    """What is found in each of B bins of equal width over confidences from 0 to 1."""

    count: np.ndarray
    """(B,) answers in the bin."""
    confidence: np.ndarray
    """(B,) mean confidence there; NaN in an empty bin."""
    accuracy: np.ndarray
    """(B,) share that is right; NaN in an empty bin."""
    error: float
    """Expected calibration error: sum over bins of count / N |accuracy - confidence|."""


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int) -> Reliability:
    """Reliability of answers by confidence (N,) and whether they are right (N,). Guo et al. 2017, equations 1 to 3.

    A bin is open below and closed above, as there: a confidence of exactly 1 is in the last.
    """
    which = _bins(confidence, bins)
    count = np.bincount(which, minlength=bins)
    sums = (np.bincount(which, weights=values, minlength=bins) for values in (confidence, right))
    mean, share = (np.where(count > 0, total / np.maximum(count, 1), np.nan) for total in sums)
    error = float(np.nansum(count * np.abs(share - mean)) / len(confidence))
    return Reliability(count=count, confidence=mean, accuracy=share, error=error)


def calibration_null(confidence: np.ndarray, bins: int, *, draws: int, seed: int) -> np.ndarray:
    """(2,) 2.5 and 97.5 % of the calibration error of a model with these confidences that is perfectly calibrated.

    Such a model is right with the probability it says, yet its error is above 0 in a finite sample (Vaicenavicius et
    al. 2019). Right answers of a bin are drawn as a Gaussian of their exact mean and variance where there are 30 or
    more of them, and one by one where there are fewer.
    """
    random = np.random.default_rng(seed)
    which = _bins(confidence, bins)
    total = np.zeros(draws)
    for each in np.unique(which):
        inside = confidence[which == each]
        if len(inside) >= 30:
            spread = np.sqrt((inside * (1 - inside)).sum())
            total += np.abs(spread * random.standard_normal(draws))
        else:
            total += np.abs((random.random((draws, len(inside))) < inside).sum(axis=1) - inside.sum())
    return np.percentile(total / len(confidence), (2.5, 97.5))


def _bins(confidence: np.ndarray, bins: int) -> np.ndarray:
    return np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
