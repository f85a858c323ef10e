"""How far several runs found the same: sets they chose, groups they made, points they reached; beside a null."""

from __future__ import annotations

import numpy as np

__all__ = [
    "adjusted_rand",
    "agreement_of_committed",
    "largest_overlaps",
    "mean_over_pairs",
    "null_overlaps",
    "overlaps",
    "random_sets",
    "relative_distances",
    "resampled_mean",
]


def overlaps(chosen: np.ndarray) -> np.ndarray:
    """(n, n) elements that each two of n sets share; chosen (n, K) says which of K elements are in each."""
    sets = np.asarray(chosen, dtype=np.int64)
    return sets @ sets.T


def mean_over_pairs(matrix: np.ndarray) -> np.ndarray:
    """Mean of the entries above the diagonal of (..., n, n)."""
    above = np.triu_indices(matrix.shape[-1], k=1)
    return matrix[(..., *above)].mean(axis=-1)


def random_sets(chosen: np.ndarray, *, draws: int, seed: int, orbit: np.ndarray | None = None) -> np.ndarray:
    """(draws, n, K) sets with as many elements in each orbit (K,) as those chosen (n, K); None: all are one orbit."""
    generator = np.random.default_rng(seed)
    sets = np.repeat(np.asarray(chosen, dtype=bool)[None], draws, axis=0)
    for name in np.unique(np.zeros(sets.shape[2]) if orbit is None else orbit):
        inside = np.flatnonzero(orbit == name) if orbit is not None else np.arange(sets.shape[2])
        sets[:, :, inside] = generator.permuted(sets[:, :, inside], axis=2)
    return sets


def null_overlaps(chosen: np.ndarray, *, draws: int, seed: int, orbit: np.ndarray | None = None) -> np.ndarray:
    """(draws,) the mean overlap of random sets as large as these; expected |A| |B| / K for two sets in one orbit."""
    mixed = random_sets(chosen, draws=draws, seed=seed, orbit=orbit).astype(np.int64)
    count = mixed.shape[1]
    # Of an element in m sets, m (m - 1) / 2 pairs share it.
    often = mixed.sum(axis=1)
    return (often * (often - 1) / 2).sum(axis=1) / (count * (count - 1) / 2)


def largest_overlaps(chosen: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """(..., n, n) elements that two of n sets (..., n, K) share when one is relabelled so that they share most.

    moves (U, K): where each element goes under every relabelling of a group.
    """
    sets = np.asarray(chosen, dtype=np.float32)
    most = np.zeros((*sets.shape[:-1], sets.shape[-2]), dtype=np.float32)
    for move in moves:
        # The inverse is in the group too, so it does not matter which way elements go.
        most = np.maximum(most, sets[..., move] @ sets.swapaxes(-1, -2))
    return most.astype(np.int64)


def adjusted_rand(first: np.ndarray, second: np.ndarray) -> float:
    """How far two groupings of the same things agree: 1 the same, 0 expected at random (Hubert & Arabie 1985).

    NaN where both put everything into one group, or everything into its own: then there is nothing to agree on.
    """
    _, a = np.unique(first, return_inverse=True)
    _, b = np.unique(second, return_inverse=True)
    table = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(table, (a, b), 1)
    both, rows, columns = (_pairs(counts) for counts in (table, table.sum(axis=1), table.sum(axis=0)))
    expected = rows * columns / max(_pairs(np.array([len(a)])), 1)
    most = (rows + columns) / 2
    return float("nan") if most == expected else float((both - expected) / (most - expected))


def agreement_of_committed(first: np.ndarray, second: np.ndarray) -> float:
    """Adjusted Rand index of the things that both groupings put into a group; -1 says none. NaN of fewer than two."""
    both = (first >= 0) & (second >= 0)
    return adjusted_rand(first[both], second[both]) if both.sum() > 1 else float("nan")


def _pairs(counts: np.ndarray) -> float:
    return float((counts * (counts - 1) / 2).sum())


def relative_distances(gram: np.ndarray) -> np.ndarray:
    """(n, n) |x - y| / sqrt(|x|^2 + |y|^2) from inner products: 0 the same, 1 at right angles, sqrt(2) opposite."""
    squares = np.diag(gram)
    sums = squares[:, None] + squares[None]
    apart = (sums - 2 * gram).clip(min=0)
    relative = np.sqrt(apart / np.where(sums > 0, sums, 1.0))
    np.fill_diagonal(relative, 0.0)
    return relative


def resampled_mean(rows: np.ndarray, *, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """2.5 and 97.5 % of the mean of rows (n, ...) drawn with replacement."""
    generator = np.random.default_rng(seed)
    chosen = generator.integers(len(rows), size=(draws, len(rows)))
    means = np.stack([rows[each].mean(axis=0) for each in chosen])
    low, high = np.quantile(means, (0.025, 0.975), axis=0)
    return low, high
