"""Linear modes of a path: the matrix that best takes each state to the next, and its eigenvalues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["Modes", "bagged", "hard_threshold", "longest_even", "modes"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Modes:
    """x_(i+1) - c' = A (x_i - c) in the span of the first singular vectors."""

    eigenvalues: np.ndarray
    """(r,) complex, the largest modulus first."""
    amplitudes: np.ndarray
    """(r,) size of each mode in the first state, in the states' units."""
    predicted: np.ndarray
    """(n - 1, k) what the matrix makes of each state but the last."""
    directions: np.ndarray
    """(r, k) orthonormal: the span the matrix acts in."""


def modes(states: np.ndarray, rank: int) -> Modes:
    """Exact dynamic mode decomposition of equally spaced states (n, k), with a free fixed point (Tu et al. 2014).

    Least squares with an intercept, so that a path towards a point other than the origin has no mode of its own.
    """
    return _fitted(states[:-1], states[1:], states, rank)


def _fitted(before: np.ndarray, after: np.ndarray, states: np.ndarray, rank: int) -> Modes:
    centre, target = before.mean(axis=0), after.mean(axis=0)
    left, values, right = np.linalg.svd(before - centre, full_matrices=False)
    kept = int(min(rank, (values > 1e-12 * values.max(initial=0)).sum()))
    left, values, right = left[:, :kept], values[:kept], right[:kept]
    matrix = ((after - target).T @ left / values) @ right
    reduced = right @ matrix @ right.T
    eigenvalues, vectors = np.linalg.eig(reduced)
    order = np.argsort(-np.abs(eigenvalues), kind="stable")
    weight = np.linalg.lstsq(vectors, (right @ (states[0] - centre)).astype(complex), rcond=None)[0]
    return Modes(
        eigenvalues=eigenvalues[order].astype(complex),
        amplitudes=np.abs(weight)[order],
        predicted=target + (states[:-1] - centre) @ matrix.T,
        directions=right,
    )


def bagged(states: np.ndarray, rank: int, *, draws: int, seed: int) -> np.ndarray:
    """(draws, r) eigenvalues of pairs of successive states drawn with replacement, each next to the one it varies.

    (Sashidhar & Kutz 2022, bagging of dynamic mode decomposition.)
    """
    from scipy.optimize import linear_sum_assignment

    random = np.random.default_rng(seed)
    base = modes(states, rank).eigenvalues
    eigenvalues = np.full((draws, len(base)), np.nan, dtype=complex)
    for i in range(draws):
        pairs = random.integers(0, len(states) - 1, size=len(states) - 1)
        drawn = _fitted(states[:-1][pairs], states[1:][pairs], states, rank).eigenvalues
        mine, theirs = linear_sum_assignment(np.abs(base[:, None] - drawn[None]))
        eigenvalues[i, mine] = drawn[theirs]
    return eigenvalues


def hard_threshold(values: np.ndarray, shape: tuple[int, int]) -> int:
    """How many singular values of a noisy matrix to keep: those above w(beta) times their median, at least two.

    w(beta) = 0.56 b^3 - 0.95 b^2 + 1.82 b + 1.43 with b = min / max of the shape (Gavish & Donoho 2014, equation 5).
    """
    beta = min(shape) / max(shape)
    factor = 0.56 * beta**3 - 0.95 * beta**2 + 1.82 * beta + 1.43
    return max(2, int((values > factor * np.median(values)).sum()))


def longest_even(steps: np.ndarray) -> slice:
    """The longest stretch of steps with equal gaps, the latest of several; of one gap two steps long at least."""
    gaps = np.diff(steps)
    start, best = 0, slice(0, min(2, len(steps)))
    for i in range(1, len(gaps) + 1):
        if i == len(gaps) or gaps[i] != gaps[start]:
            if i - start + 1 >= best.stop - best.start:
                best = slice(start, i + 1)
            start = i
    return best
