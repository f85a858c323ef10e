"""P-values of many tests at once: the more are tested, the smaller one must be to be significant."""

from __future__ import annotations

import numpy as np

__all__ = ["benjamini_hochberg", "empirical_p_values"]


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Adjusted p-values of tests (n,): calling all below q significant controls the false discovery rate at q.

    NaN are no tests and stay. Benjamini & Hochberg 1995, for tests that are independent or positively dependent.
    """
    from scipy.stats import false_discovery_control

    p_adjusted, tests = np.full(np.shape(p_values), np.nan), np.isfinite(p_values)
    if tests.any():
        # A p-value of 1 may come rounded upwards.
        p_adjusted[tests] = false_discovery_control(np.minimum(p_values[tests], 1))
    return p_adjusted


def empirical_p_values(values: np.ndarray, null: np.ndarray) -> np.ndarray:
    """(1 + draws of the null at least as large) / (1 + draws), of values (n,): never 0, however far they stand out."""
    below = np.searchsorted(np.sort(null), values, side="left")
    return (1 + len(null) - below) / (1 + len(null))
