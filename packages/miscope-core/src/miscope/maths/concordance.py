"""Whether several runs agree in what comes before what, and which of them is unlike the rest."""

from __future__ import annotations

import numpy as np

__all__ = ["concordance", "modified_z", "null_concordance", "precedence"]


def concordance(times: np.ndarray) -> float:
    """Kendall's W of n items in m runs (m, n), with his correction for ties: 1 the same order in all, 0 none in common.

    What never happened is infinite, and so tied behind all that did. NaN where no run tells any two items apart.
    """
    from scipy.stats import rankdata

    return _w(rankdata(times, axis=1))


def null_concordance(times: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """(draws,) W with the order of every run shuffled on its own."""
    from scipy.stats import rankdata

    random = np.random.default_rng(seed)
    ranks = rankdata(times, axis=1)
    return np.array([_w(random.permuted(ranks, axis=1)) for _ in range(draws)])


def _w(ranks: np.ndarray) -> float:
    runs, items = ranks.shape
    total = ranks.sum(axis=0)
    tied = sum(float((count**3 - count).sum()) for row in ranks for count in [np.unique(row, return_counts=True)[1]])
    most = runs**2 * (items**3 - items) - runs * tied
    return float(12 * ((total - total.mean()) ** 2).sum() / most) if most > 0 else float("nan")


def precedence(times: np.ndarray) -> np.ndarray:
    """(n, n) share of the runs (m, n) in which the item of the row comes before that of the column; a tie is half."""
    first, second = times[:, :, None], times[:, None, :]
    return ((first < second) + 0.5 * (first == second)).mean(axis=0)


def modified_z(values: np.ndarray) -> np.ndarray:
    """0.6745 times the distance from the median over the median absolute distance: Iglewicz & Hoaglin 1993.

    Where more than half of the values are the same, 0.7979 times the distance over the mean absolute one. NaN stays
    NaN.
    """
    z = np.full(len(values), np.nan)
    known = np.isfinite(values)
    away = values[known] - np.median(values[known]) if known.any() else values[known]
    middle, mean = (float(f(np.abs(away))) if len(away) else 0.0 for f in (np.median, np.mean))
    scale = middle / 0.6744897501960817 if middle > 0 else mean / 0.7978845608028654
    z[known] = away / scale if scale > 0 else 0.0
    return z
