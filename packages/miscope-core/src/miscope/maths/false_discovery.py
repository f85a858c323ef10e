"""Chances of many tests at once, so that the more is looked at, the more it takes to stand out."""

from __future__ import annotations

import numpy as np

__all__ = ["benjamini_hochberg", "chance_of"]


def benjamini_hochberg(chance: np.ndarray) -> np.ndarray:
    """Adjusted chances of tests (n,): calling all below q significant, a share of at most q of them is so by chance.

    min over j >= i of n p_(j) / j, of the ascending chances; NaN are no tests and stay. Benjamini & Hochberg 1995, for
    tests that are independent or positively dependent.
    """
    found = np.full(np.shape(chance), np.nan)
    tests = np.flatnonzero(np.isfinite(chance))
    order = tests[np.argsort(chance[tests], kind="stable")]
    scaled = chance[order] * len(order) / np.arange(1, len(order) + 1)
    found[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return found


def chance_of(values: np.ndarray, null: np.ndarray) -> np.ndarray:
    """(1 + draws of the null at least as large) / (1 + draws), of values (n,): never 0, however far they stand out."""
    below = np.searchsorted(np.sort(null), values, side="left")
    return (1 + len(null) - below) / (1 + len(null))
