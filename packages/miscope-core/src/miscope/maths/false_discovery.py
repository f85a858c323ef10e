"""Chances of many tests at once, so that the more is looked at, the more it takes to stand out."""

from __future__ import annotations

import numpy as np

__all__ = ["benjamini_hochberg", "chance_of"]


def benjamini_hochberg(chance: np.ndarray) -> np.ndarray:
    """Adjusted chances of tests (n,): calling all below q significant, a share of at most q of them is so by chance.

    NaN are no tests and stay. Benjamini & Hochberg 1995, for tests that are independent or positively dependent.
    """
    from scipy.stats import false_discovery_control

    found, tests = np.full(np.shape(chance), np.nan), np.isfinite(chance)
    if tests.any():
        # A chance of 1 may come rounded upwards.
        found[tests] = false_discovery_control(np.minimum(chance[tests], 1))
    return found


def chance_of(values: np.ndarray, null: np.ndarray) -> np.ndarray:
    """(1 + draws of the null at least as large) / (1 + draws), of values (n,): never 0, however far they stand out."""
    below = np.searchsorted(np.sort(null), values, side="left")
    return (1 + len(null) - below) / (1 + len(null))
