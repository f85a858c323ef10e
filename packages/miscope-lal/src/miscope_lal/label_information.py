"""How much two labellings of the same inputs say of each other, beside what they would by chance."""

from __future__ import annotations

import numpy as np

__all__ = [
    "adjusted_information",
    "entropy_of_counts",
    "information",
    "information_p_value",
    "shuffled_information",
]


def entropy_of_counts(counts: np.ndarray) -> float:
    """-sum_i p_i ln p_i in nats, p_i the share of each count (K,)."""
    share = counts[counts > 0] / counts.sum()
    return float(-(share * np.log(share)).sum())


def information(first: np.ndarray, second: np.ndarray) -> float:
    """Mutual information of two labellings (N,), nats: sum_ij p_ij ln(p_ij / (p_i p_j)), 0 for independent ones.

    Of a sample it is too large by about (R - 1) (C - 1) / 2N (Miller 1955).
    """
    return _information(_table(*_numbered(first, second)))


def shuffled_information(first: np.ndarray, second: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """(draws,) the same once one labelling is dealt to the inputs at random: the null of what is unrelated."""
    generator = np.random.default_rng(seed)
    one, two = _numbered(first, second)
    return np.array([_information(_table(one, generator.permutation(two))) for _ in range(draws)])


def information_p_value(first: np.ndarray, second: np.ndarray) -> float:
    """P-value of 2 N times the information as chi-squared with (R - 1) (C - 1) degrees of freedom (Wilks 1938); NaN
    where a labelling has one label only.
    """
    from scipy.stats import chi2

    table = _table(*_numbered(first, second))
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    return float(chi2.sf(2 * table.sum() * _information(table), freedom)) if freedom else float("nan")


def adjusted_information(first: np.ndarray, second: np.ndarray) -> float:
    """(I - E I) / (mean of both entropies - E I): 1 for the same groups, 0 expected at random.

    E I is over all ways of dealing out the labels (Vinh, Epps & Bailey 2010, "Information theoretic measures for
    clusterings comparison"). NaN where both put everything into one group, or everything into its own.
    """
    table = _table(*_numbered(first, second))
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    expected = _expected_information(rows, columns)
    most = (entropy_of_counts(rows) + entropy_of_counts(columns)) / 2
    if np.isclose(most, expected, rtol=1e-12, atol=1e-12):
        return float("nan")
    return float((_information(table) - expected) / (most - expected))


def _numbered(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.unique(first, return_inverse=True)[1], np.unique(second, return_inverse=True)[1]


def _table(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(R, C) inputs that have each pair of labels."""
    rows, columns = int(first.max()) + 1, int(second.max()) + 1
    return np.bincount(first * columns + second, minlength=rows * columns).reshape(rows, columns)


def _information(table: np.ndarray) -> float:
    both = entropy_of_counts(table.ravel())
    # Rounding may bring what is nothing below it.
    return max(0.0, entropy_of_counts(table.sum(axis=1)) + entropy_of_counts(table.sum(axis=0)) - both)


def _expected_information(rows: np.ndarray, columns: np.ndarray) -> float:
    """Of tables with these margins, whose entries are hypergeometric. Pairs of equal margins are computed once."""
    (sizes, often), (widths, as_often) = (np.unique(margin, return_counts=True) for margin in (rows, columns))
    total = int(rows.sum())
    parts = (
        times * other * _expected_entry(int(size), int(width), total)
        for size, times in zip(sizes, often, strict=True)
        for width, other in zip(widths, as_often, strict=True)
    )
    return float(sum(parts))


def _expected_entry(row: int, column: int, total: int) -> float:
    from scipy.special import gammaln

    counts = np.arange(max(1, row + column - total), min(row, column) + 1, dtype=np.float64)
    ways = gammaln(np.array([row, column, total - row, total - column]) + 1.0).sum() - gammaln(total + 1.0)
    log_chance = ways - sum(
        gammaln(each + 1.0) for each in (counts, row - counts, column - counts, total - row - column + counts)
    )
    return float((counts / total * np.log(total * counts / (row * column)) * np.exp(log_chance)).sum())
