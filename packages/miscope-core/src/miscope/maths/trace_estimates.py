"""The trace of a symmetric matrix of which only products are known, from random directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np

__all__ = ["Estimate", "Hutchinson", "Product", "estimate_of", "hutch_plus_plus", "hutchinson", "named", "signs"]

Product: TypeAlias = "Callable[[np.ndarray], np.ndarray]"
"""(k, D) directions -> (k, D) the matrix times each."""

_NUMBERS = 1 << 23
"""Entries of directions held at a time: 64 MiB."""


@final
@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over random directions and its standard error; NaN of a single one."""

    value: float
    sem: float


def named(name: str, estimate: Estimate) -> dict[str, np.ndarray]:
    """As outputs of an instrument: the value under that name, and its standard error under 'NAME/sem'."""
    return {name: np.array(estimate.value), f"{name}/sem": np.array(estimate.sem)}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Hutchinson:
    """What each random direction says of a matrix."""

    blocks: np.ndarray
    """(m, blocks) v_b . (A v)_b: their mean is the trace of each diagonal block, their sum's that of the matrix."""
    squares: np.ndarray
    """(m,) |A v|^2: its mean is the trace of A^2, the squared Frobenius norm."""


def signs(random: np.random.Generator, count: int, size: int) -> np.ndarray:
    """(count, size) of independent entries 1 and -1, each as likely."""
    return 2.0 * random.integers(0, 2, (count, size)) - 1


def estimate_of(values: np.ndarray) -> Estimate:
    """Mean over independent draws (m,), and its standard error."""
    sem = float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return Estimate(value=float(values.mean()), sem=sem)


def hutchinson(
    product: Product, starts: Sequence[int], size: int, *, probes: int, random: np.random.Generator
) -> Hutchinson:
    """Quadratic forms along directions of random signs: E v^T A v = tr A, with variance 2 (|A|_F^2 - sum A_ii^2).

    starts: first entry of each diagonal block, ascending from 0. Of a diagonal matrix each direction gives the trace
    exactly. Hutchinson 1990; Avron & Toledo 2011.
    """
    blocks, squares = [], []
    for count in _parts(probes, size):
        directions = signs(random, count, size)
        turned = product(directions)
        blocks.append(np.add.reduceat(directions * turned, list(starts), axis=1))
        squares.append(np.square(turned).sum(axis=1))
    return Hutchinson(blocks=np.concatenate(blocks), squares=np.concatenate(squares))


def hutch_plus_plus(product: Product, size: int, *, probes: int, random: np.random.Generator) -> Estimate:
    """The trace, exactly so on the span of A S for a third of the directions S, by Hutchinson's estimate on the rest.

    The second third are products with that span's orthonormal basis Q. Unbiased whatever Q is, and the standard error
    is that of the last third, given Q: far below Hutchinson's where few eigenvalues make up the matrix. 3 or more
    products. Meyer, Musco, Musco & Woodruff 2021 (arXiv 2010.09649), algorithm 1.
    """
    third = min(probes // 3, size)
    basis = np.linalg.qr(product(signs(random, third, size)).T)[0].T
    caught = float((basis * product(basis)).sum())
    rest = []
    for count in _parts(max(probes - 2 * third, 1), size):
        directions = signs(random, count, size)
        directions -= (directions @ basis.T) @ basis
        rest.append((directions * product(directions)).sum(axis=1))
    left = estimate_of(np.concatenate(rest))
    return Estimate(value=caught + left.value, sem=left.sem)


def _parts(count: int, size: int) -> list[int]:
    """So many directions of that size in parts that bound the memory."""
    most = max(1, _NUMBERS // max(size, 1))
    return [min(most, count - start) for start in range(0, count, most)]
