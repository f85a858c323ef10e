"""Whether points follow one another along one path: distances, detours, and speeds that fit those around them."""

from __future__ import annotations

import numpy as np

from miscope.maths.path_pca import centred_gram

__all__ = ["detours", "local_residuals", "misplaced", "robust_z", "squared_distances", "strays"]

_REACH = 3
"""Neighbours on either side that a speed is compared with."""


def squared_distances(points: np.ndarray) -> np.ndarray:
    """(T, T) float64 squared Euclidean distances between the rows of (T, n)."""
    gram = centred_gram(points)
    size = np.diag(gram)
    squares = np.maximum(size[:, None] + size - 2 * gram, 0.0)
    np.fill_diagonal(squares, 0.0)
    return squares


def detours(step: np.ndarray, skip: np.ndarray) -> np.ndarray:
    """(T,) how much longer the way through each point is than the way past it; 1 at the ends.

    step: (T-1,) distances between neighbours; skip: (T-2,) between the neighbours of each inner point. Straight on is
    1, a right angle 1.41, and 2 is what a point at equal distances from both neighbours has that are as far apart.
    """
    detour = np.ones(len(step) + 1)
    through = step[:-1] + step[1:]
    detour[1:-1] = np.where(through > 0, through / np.maximum(skip, 1e-12 * np.maximum(through, 1e-300)), 1.0)
    return detour


def local_residuals(values: np.ndarray) -> np.ndarray:
    """How far each value lies from the robust line through up to three others on either side (Theil 1950; Sen 1968).

    At the ends the line is through those on the one side. Zeros where there are fewer than six values.
    """
    n = len(values)
    if n < 2 * _REACH:
        return np.zeros(n)
    residuals = np.empty(n)
    for i in range(n):
        first = min(max(i - _REACH, 0), n - 2 * _REACH - 1) if n > 2 * _REACH else 0
        x = np.array([j for j in range(first, min(first + 2 * _REACH + 1, n)) if j != i])
        y = values[x]
        later, earlier = np.triu_indices(len(x), 1)[::-1]
        slope = np.median((y[later] - y[earlier]) / (x[later] - x[earlier]))
        residuals[i] = values[i] - np.median(y + slope * (i - x))
    return residuals


def robust_z(residual: np.ndarray, least: float) -> np.ndarray:
    """Residuals over their scale: 1.4826 times the median absolute one, and no less than `least`."""
    scale = 1.4826 * float(np.median(np.abs(residual))) if len(residual) else least
    return residual / max(scale, least)


def strays(speed: np.ndarray, detour: np.ndarray, *, z: float, least: float, end: float) -> np.ndarray:
    """(T,) points that the path jumps to and back from: both speeds too large, and a detour.

    speed: (T-1,) distance over time between neighbours; detour: (T,) as from `detours`, no less than `least`. An end of
    the path has one side only; there the speed must also be `end` times what those near it suggest.
    """
    residual = local_residuals(np.log(np.maximum(speed, 1e-300)))
    fast = robust_z(residual, 0.1) > z
    stray = np.zeros(len(speed) + 1, dtype=bool)
    stray[1:-1] = fast[1:] & fast[:-1] & (detour[1:-1] > least)
    if len(speed):
        stray[0] = fast[0] and residual[0] > np.log(end) and not stray[1]
        stray[-1] = fast[-1] and residual[-1] > np.log(end) and not stray[-2]
    return stray


def misplaced(distance: np.ndarray, *, ratio: float, detour: float) -> np.ndarray:
    """(T,) points much nearer to some point elsewhere on the path than to their own neighbours.

    On a healthy path the nearest point is a neighbour, or, where it only fluctuates, about as near; `ratio` tells how
    much nearer another must be. An inner point must be a detour as well, which tells the culprit from the place it was
    taken from; an end is compared with points that are in place.
    """
    count = len(distance)
    out_of_place = np.zeros(count, dtype=bool)
    if count < 4:
        return out_of_place
    index = np.arange(count)
    beside = np.abs(index[:, None] - index) <= 1
    near = np.where(beside & (index[:, None] != index), distance, np.inf).min(axis=1)
    step = distance[index[:-1], index[1:]]
    far = detours(step, distance[index[:-2], index[2:]]) > detour
    closest = np.where(beside, np.inf, distance).min(axis=1)
    out_of_place[1:-1] = (closest < ratio * near)[1:-1] & far[1:-1]
    trusted = np.where(beside | out_of_place[None, :], np.inf, distance).min(axis=1)
    for end in (0, count - 1):
        out_of_place[end] = trusted[end] < ratio * near[end]
    return out_of_place
