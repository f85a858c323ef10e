"""Which of several identical points is the copy: the one that fits its surroundings worse."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np

__all__ = ["duplicated", "partly_duplicated"]


def duplicated(digest: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """(T,) points all of whose tensors another point has too, except the one of each such group that fits best.

    digest: (T, R) texts; distance: (T, T). It fits best whose mean log distance to its neighbours is least.
    """
    groups = defaultdict(list)
    for i, row in enumerate(digest.tolist()):
        groups[tuple(row)].append(i)
    duplicate = np.zeros(len(digest), dtype=bool)
    for group in groups.values():
        if len(group) > 1:
            duplicate[group] = True
            duplicate[min(group, key=lambda i: _unfit(i, group, distance))] = False
    return duplicate


def partly_duplicated(digest: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """(T,) points that share some tensor with a point far away, the tensor having changed in between.

    moved: (R, T-1) distances. The one whose tensor moves further to and from it is flagged; a tensor that simply stays
    as it is for a while is not.
    """
    duplicate = np.zeros(len(digest), dtype=bool)
    whole = [tuple(row) for row in digest.tolist()]
    for r in range(digest.shape[1]):
        seen = defaultdict(list)
        for i, name in enumerate(digest[:, r].tolist()):
            seen[name].append(i)
        for group in seen.values():
            for i, j in pairwise(group):
                if j - i > 1 and whole[i] != whole[j] and (moved[r, i:j] > 0).any():
                    duplicate[max((i, j), key=lambda at: _beside(moved[r], at))] = True
    return duplicate


def _unfit(i: int, group: list[int], distance: np.ndarray) -> float:
    around = [j for j in (i - 1, i + 1) if 0 <= j < len(distance) and j not in group]
    return float(np.mean(np.log(np.maximum(distance[i, around], 1e-300)))) if around else np.inf


def _beside(moved: np.ndarray, at: int) -> float:
    return float(np.mean([moved[j] for j in (at - 1, at) if 0 <= j < len(moved)]))
