"""Irreducible representations of a symmetric group, and the basis that their matrix elements make over its elements."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, permutations

import numpy as np

from miscope import Basis, Block

__all__ = ["composition_table", "elements", "irreps", "irreps_basis"]

Permutation = tuple[int, ...]
Partition = tuple[int, ...]
Tableau = tuple[int, ...]
"""The row of each number 1 to n, which fixes a standard tableau: a row's numbers grow from left to right."""


def elements(degree: int) -> tuple[Permutation, ...]:
    """All permutations of 0 to degree - 1, in lexicographic order: element 0 leaves everything where it is."""
    return tuple(permutations(range(degree)))


def composition_table(degree: int) -> np.ndarray:
    """(n!, n!) int64: number of the permutation 'first the right one, then the left one', (a b)(x) = a(b(x))."""
    known = {element: number for number, element in enumerate(elements(degree))}
    return np.array([[known[tuple(a[x] for x in b)] for b in known] for a in known])


def irreps(degree: int) -> dict[Partition, np.ndarray]:
    """Every irreducible representation as real orthogonal matrices (n!, d, d), the trivial one first, by partition.

    Young's orthogonal form: the matrix of the exchange of i and i + 1 is 1 / r on the diagonal and
    sqrt(1 - 1 / r^2) between two tableaux that it exchanges, with r the distance between both along the diagonals;
    others are products of those. James & Kerber 1981, "The representation theory of the symmetric group", section 3.4.
    """
    representations = {}
    for partition in _partitions(degree, degree):
        tableaux = list(_tableaux(partition))
        exchange = [_exchange(tableaux, i) for i in range(degree - 1)]
        representations[partition] = np.stack(
            [_matrix(element, exchange, len(tableaux)) for element in elements(degree)]
        )
    return representations


def irreps_basis(degree: int) -> Basis:
    """Matrix elements sqrt(d / n!) rho(g)_ij over the elements g, a block of d^2 rows for each representation.

    Orthonormal by Schur's relations. A block is named by its partition: '[4]' is the trivial representation of S4,
    '[3,1]' the standard one, '[1^4]' the sign. Chughtai et al. 2023, "A toy model of universality".
    """
    rows, blocks = [], []
    for partition, matrices in irreps(degree).items():
        size = matrices.shape[1]
        block = np.sqrt(size / len(matrices)) * matrices.reshape(len(matrices), -1).T
        blocks.append(Block(_named(partition), tuple(range(len(rows), len(rows) + len(block)))))
        rows += list(block)
    return Basis(name="irreps", unit="irrep", rows=np.stack(rows), blocks=tuple(blocks), constant=_named((degree,)))


def _named(partition: Partition) -> str:
    """'[2,1,1]', '[1^4]': parts that come three times or more as a power."""
    groups = ((part, len(list(same))) for part, same in groupby(partition))
    return f"[{','.join(f'{part}^{times}' if times > 2 else ','.join([str(part)] * times) for part, times in groups)}]"


def _partitions(total: int, most: int) -> Iterator[Partition]:
    """Falling parts of at most `most` that add up to the total, the longest first part first."""
    if total == 0:
        yield ()
    for first in range(min(total, most), 0, -1):
        yield from ((first, *rest) for rest in _partitions(total - first, first))


def _tableaux(partition: Partition) -> Iterator[Tableau]:
    """Standard tableaux of the shape: numbers are put one after the other where the shape may grow."""
    if not sum(partition):
        yield ()
        return
    for row, length in enumerate(partition):
        below = partition[row + 1] if row + 1 < len(partition) else 0
        if length > below:
            smaller = (*partition[:row], length - 1, *partition[row + 1 :])
            yield from ((*tableau, row) for tableau in _tableaux(smaller))


def _exchange(tableaux: list[Tableau], i: int) -> np.ndarray:
    """Matrix (d, d) of the exchange of the numbers i and i + 1, counted from 0."""
    place = {tableau: number for number, tableau in enumerate(tableaux)}
    matrix = np.zeros((len(tableaux), len(tableaux)))
    for tableau, number in place.items():
        distance = _diagonal(tableau, i + 1) - _diagonal(tableau, i)
        matrix[number, number] = 1 / distance
        other = place.get((*tableau[:i], tableau[i + 1], tableau[i], *tableau[i + 2 :]))
        if other is not None and other != number:
            matrix[other, number] = np.sqrt(1 - 1 / distance**2)
    return matrix


def _diagonal(tableau: Tableau, number: int) -> int:
    """Column less row of a number."""
    return tableau[:number].count(tableau[number]) - tableau[number]


def _matrix(element: Permutation, exchange: list[np.ndarray], size: int) -> np.ndarray:
    """Product of the exchanges of neighbours that sort the permutation, which is the permutation itself."""
    order, matrix = list(element), np.eye(size)
    for end in range(len(order) - 1, 0, -1):
        for i in range(end):
            if order[i] > order[i + 1]:
                order[i], order[i + 1] = order[i + 1], order[i]
                matrix = exchange[i] @ matrix
    return matrix
