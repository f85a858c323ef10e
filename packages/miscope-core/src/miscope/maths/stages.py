"""Where several series change their pace together: three methods, each held to its own null, and where they agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from miscope.maths.partition import Costs, gaussian_gram, optimal_partition
from miscope.maths.run_length import change_probability

__all__ = ["METHODS", "Cuts", "Limits", "agreed", "cut", "limits", "scores", "stability"]

METHODS = ("mean", "distribution", "online")
"""Optimal partition by the mean, by the distribution (Gaussian kernel), and Bayesian online change points."""

_AHEAD = 5
_HAZARD = 1 / 50
_TOGETHER = 2**21
"""Numbers that the draws of the null hold at once; 16 MiB."""


def scores(values: np.ndarray, clock: np.ndarray) -> np.ndarray:
    """(T-1, m) pace of each series on the clock, as normal scores of its ranks.

    Ranks make the null exact whatever the increments' distribution: a random walk's are exchangeable, however heavy
    their tails. A series that never moves scores 0.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    pace = np.diff(values, axis=0) / np.diff(clock)[:, None]
    normal_scores = np.zeros(pace.shape)
    for i, column in enumerate(pace.T):
        if np.ptp(column) > 0:
            normal_scores[:, i] = ndtri((rankdata(column) - 0.375) / (len(column) + 0.25))
    return normal_scores


@final
@dataclass(frozen=True, kw_only=True)
class Limits:
    """What each method must exceed to see a change, so that it sees none in shuffled pace."""

    mean: float
    distribution: float
    online: float
    weight: float
    """Share of a point's likelihood that counts online: 1 over the number of series that say the same."""


def limits(points: np.ndarray, *, least: int, level: float, draws: int, seed: int, block: int = 1) -> Limits:  # noqa: PLR0913 - options, all by name
    """Limits that each method exceeds with probability `level` when the points (n, m) are dealt out anew.

    Rows stay whole, so series that move together do so in the null. Dealt out one by one they are a random walk's;
    in blocks of `block` points, which keep what neighbours have in common, those of a walk with momentum.
    """
    random = np.random.default_rng(seed)
    weight = _weight(points)
    plain, kernel = points @ points.T, gaussian_gram(points)
    orders = [_shuffled(len(points), block, random) for _ in range(draws)]
    most = np.zeros((draws, 3))
    for i, order in enumerate(orders):
        dealt = np.ix_(order, order)
        most[i, 0] = Costs(plain[dealt]).best_cut(least)
        most[i, 1] = Costs(kernel[dealt]).best_cut(least)
    together = max(1, _TOGETHER // len(points) ** 2)
    for start in range(0, draws, together):
        dealt = points[np.array(orders[start : start + together])]
        most[start : start + together, 2] = _online(dealt, weight).max(axis=-1, initial=0)
    mean, distribution, online = np.quantile(most, 1 - level, axis=0, method="higher")
    return Limits(mean=float(mean), distribution=float(distribution), online=max(float(online), 0.5), weight=weight)


def _shuffled(n: int, size: int, random: np.random.Generator) -> np.ndarray:
    start = int(random.integers(size))
    blocks = np.split(np.arange(n), np.arange(start or size, n, size))
    return np.concatenate([blocks[i] for i in random.permutation(len(blocks))])


def _weight(points: np.ndarray) -> float:
    """1 over the series that each independent one stands for: m over the participation ratio of the covariance."""
    covariance = points.T @ points
    total = np.trace(covariance)
    independent = total**2 / max(float((covariance**2).sum()), 1e-300)
    return float(min(1.0, independent / max(points.shape[1], 1)))


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Cuts:
    """First points of segments, by method, and the online method's probabilities (n,)."""

    by: dict[str, list[int]]
    probability: np.ndarray


def cut(points: np.ndarray, held: Limits, *, least: int, factor: float = 1.0) -> Cuts:
    """Where each method cuts the points (n, m); factor multiplies both penalties."""
    probability = _online(points, held.weight)
    return Cuts(
        by={
            "mean": optimal_partition(Costs(points @ points.T), factor * held.mean, least),
            "distribution": optimal_partition(Costs(gaussian_gram(points)), factor * held.distribution, least),
            "online": _peaks(probability, held.online, least),
        },
        probability=probability,
    )


def _online(points: np.ndarray, weight: float) -> np.ndarray:
    """The noise is half the mean square of successive differences, which a change of level hardly moves."""
    if points.shape[-2] > 1:
        noise = np.clip(np.square(np.diff(points, axis=-2)).mean(axis=(-2, -1)) / 2, 0.1, 1.0)
    else:
        noise = 1.0
    return change_probability(points, hazard=_HAZARD, noise=noise, weight=weight, ahead=_AHEAD)


def _peaks(probability: np.ndarray, limit: float, least: int) -> list[int]:
    """Places above the limit, the largest first, none nearer to another than `least`."""
    peaks: list[int] = []
    for at in np.argsort(-probability, kind="stable"):
        if probability[at] <= limit:
            break
        if all(abs(int(at) - other) >= least for other in peaks):
            peaks.append(int(at))
    return sorted(peaks)


def agreed(by: dict[str, list[int]], *, within: int, methods: int) -> list[tuple[int, int]]:
    """(place, methods) of every boundary that so many methods put within so many points of one another.

    Places are taken where most agree first, and a method's boundary counts once; the place is their rounded median.
    """
    left = {name: list(cuts) for name, cuts in by.items()}
    boundaries: list[tuple[int, int]] = []
    while True:
        candidates = sorted({at for cuts in left.values() for at in cuts})
        near = [{n: min(c, key=lambda x: abs(x - at)) for n, c in left.items() if c} for at in candidates]
        groups = [
            {name: x for name, x in each.items() if abs(x - at) <= within}
            for at, each in zip(candidates, near, strict=True)
        ]
        best = max(groups, key=len, default={})
        if len(best) < methods:
            return sorted(boundaries)
        boundaries.append((round(float(np.median(list(best.values())))), len(best)))
        for name, at in best.items():
            left[name].remove(at)


def stability(points: np.ndarray, held: Limits, factors: tuple[float, ...], *, least: int) -> np.ndarray:
    """(F, n) where the partition by the mean is cut when its penalty is multiplied by each factor."""
    costs = Costs(points @ points.T)
    cuts = np.zeros((len(factors), len(points)), dtype=bool)
    for row, factor in zip(cuts, factors, strict=True):
        row[optimal_partition(costs, factor * held.mean, least)] = True
    return cuts
