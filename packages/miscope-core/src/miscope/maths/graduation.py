"""In what order inputs are learnt, of (T, N) answers that are right or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["Agreement", "agreement", "forgotten", "graduation"]


def graduation(right: np.ndarray, steps: np.ndarray, window: int) -> np.ndarray:
    """(N,) first step from which each input is right for `window` checkpoints in a row; NaN for never."""
    if len(right) < window:
        return np.full(right.shape[1], np.nan)
    run = right[: len(right) - window + 1].copy()
    for later in range(1, window):
        run &= right[later : len(right) - window + 1 + later]
    return np.where(run.any(axis=0), steps[run.argmax(axis=0)].astype(np.float64), np.nan)


def forgotten(right: np.ndarray) -> np.ndarray:
    """(T-1, N) whether each input was right at a checkpoint and no longer is at the next (Toneva et al. 2019)."""
    return right[:-1] & ~right[1:]


@final
@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How alike the values of an input and of its image under a symmetry are."""

    pearson: float
    spearman: float
    null: tuple[float, float]
    """2.5 and 97.5 % of the rank correlation when the values are dealt out anew."""
    p: float
    """P-value of the rank correlation: share of the shuffled and this one that are as large or larger."""
    pairs: int


def agreement(values: np.ndarray, image: np.ndarray, chosen: np.ndarray, *, draws: int, seed: int) -> Agreement | None:
    """Correlation of values[i] with values[image[i]], over rows where both are chosen and not NaN.

    Rows that a symmetry leaves in place say nothing and are left out. None for fewer than three rows, or where the
    values do not differ.
    """
    from scipy.stats import rankdata

    usable = chosen & np.isfinite(values)
    row = np.flatnonzero(usable & usable[image] & (image != np.arange(len(image))))
    if len(row) < 3 or np.ptp(values[row]) == 0 or np.ptp(values[image[row]]) == 0:
        return None
    members = np.unique(np.concatenate([row, image[row]]))
    ranks = rankdata(values[members])
    first, second = np.searchsorted(members, row), np.searchsorted(members, image[row])
    spearman = _correlation(ranks[first], ranks[second])
    random = np.random.default_rng(seed)
    shuffled = (random.permutation(ranks) for _ in range(draws))
    null = np.array([_correlation(dealt[first], dealt[second]) for dealt in shuffled])
    low, high = np.percentile(null, (2.5, 97.5)) if draws else (np.nan, np.nan)
    return Agreement(
        pearson=_correlation(values[row], values[image[row]]),
        spearman=spearman,
        null=(float(low), float(high)),
        p=float((1 + (null >= spearman).sum()) / (draws + 1)),
        pairs=len(row),
    )


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x - x.mean(), y - y.mean()
    size = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / size) if size > 0 else 0.0
