"""How sure a mean over a few variants is, on a scale on which what can be measured has no end."""

from __future__ import annotations

from typing import Literal, assert_never

import numpy as np

__all__ = ["FEWEST", "Scale", "mean_interval", "wilson"]

Scale = Literal["share", "positive", "any"]
"""A share is from 0 to 1, both included; positive is above 0."""

FEWEST = 3
"""Values of which there is an interval."""


def mean_interval(values: np.ndarray, scale: Scale) -> np.ndarray:
    """(3, ...) mean over the first axis of (n, ...) and its 95 % interval, by Student's t on the scale of the quantity.

    Of shares that is the angle arcsin sqrt(x), which steadies their variance and reaches 0 and 1 (Bartlett 1936), of
    positive numbers the logarithm; the mean is that of the scale too, of positive numbers the geometric one. So neither
    lies where no value can. NaN for the interval of fewer than three, or of values that are all the same: they do not
    say how far others would spread; and for all of positive numbers of which one is 0.
    """
    from scipy.stats import t

    inner, count = _scaled(np.asarray(values, dtype=np.float64), scale), len(values)
    mean = inner.mean(axis=0)
    reach = np.full_like(mean, np.nan)
    if count >= FEWEST:
        spread = inner.std(axis=0, ddof=1)
        alike = (values == values[:1]).all(axis=0)
        reach = np.where(alike, np.nan, t.ppf(0.975, count - 1) * spread / np.sqrt(count))
    return _unscaled(np.stack([mean, mean - reach, mean + reach]), scale)


def wilson(share: np.ndarray, count: np.ndarray, z: float = 1.96) -> np.ndarray:
    """(2, ...) 95 % interval of a probability of which `share` of so many draws came true (Wilson 1927).

    Within 0 to 1, and of some width where all or none did.
    """
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return np.clip(np.stack([middle - half, middle + half]), 0, 1)


def _scaled(values: np.ndarray, scale: Scale) -> np.ndarray:
    match scale:
        case "share":
            return np.arcsin(np.sqrt(values))
        case "positive":
            return np.log(np.where(values > 0, values, np.nan))
        case "any":
            return values
        case _:
            assert_never(scale)


def _unscaled(inner: np.ndarray, scale: Scale) -> np.ndarray:
    match scale:
        case "share":
            return np.sin(np.clip(inner, 0, np.pi / 2)) ** 2
        case "positive":
            return np.exp(inner)
        case "any":
            return inner
        case _:
            assert_never(scale)
