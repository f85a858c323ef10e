"""How unequally a non-negative quantity is spread over its components."""

from __future__ import annotations

import numpy as np

__all__ = ["concentration", "gini", "hoyer", "participation_ratio", "top_share"]


def gini(values: np.ndarray) -> float:
    """Gini index, 0 for equal values and (n-1)/n when one of n holds everything; 0 where all are zero.

    sum_i (2i - n - 1) x_(i) / (n sum x) over the ascending values (Hurley & Rickard 2009, "Comparing measures of
    sparsity"). Always say of which vector: norms, powers, with or without the constant differ by up to 0.3.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    n, total = len(x), x.sum()
    if not total > 0:
        return 0.0
    return float(((2 * np.arange(1, n + 1) - n - 1) * x).sum() / (n * total))


def hoyer(values: np.ndarray) -> float:
    """(sqrt n - |x|_1 / |x|_2) / (sqrt n - 1): 0 for equal values, 1 for a single one (Hoyer 2004)."""
    x = np.asarray(values, dtype=np.float64)
    root, length = np.sqrt(len(x)), np.linalg.norm(x)
    return float((root - x.sum() / length) / (root - 1)) if length > 0 and len(x) > 1 else 0.0


def concentration(values: np.ndarray) -> float:
    """1 - H / ln n, of the entropy H of the shares: 0 for equal values, 1 for a single one; 0 where all are zero."""
    x = np.asarray(values, dtype=np.float64)
    if not x.sum() > 0 or len(x) < 2:
        return 0.0
    share = x / x.sum()
    share = share[share > 0]
    return float(1 + (share * np.log(share)).sum() / np.log(len(x)))


def participation_ratio(values: np.ndarray) -> float:
    """(sum x)^2 / sum x^2: how many equal components would be as spread out; 0 where all are zero."""
    x = np.asarray(values, dtype=np.float64)
    return float(x.sum() ** 2 / (x**2).sum()) if x.any() else 0.0


def top_share(values: np.ndarray, count: int) -> float:
    """Share of the total in the largest `count` values; 0 where all are zero."""
    x = np.sort(np.asarray(values, dtype=np.float64))
    return float(x[-count:].sum() / x.sum()) if x.sum() > 0 else 0.0
