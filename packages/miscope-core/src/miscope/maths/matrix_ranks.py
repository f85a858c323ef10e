"""How many directions a matrix really has, by the measures in use, and what a random matrix of its shape shows."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from miscope.maths.sparsity import participation_ratio

__all__ = ["MEASURES", "entropy_rank", "gaussian_null", "of_product", "ranks", "stable_rank"]

MEASURES = ("stable_rank", "participation_sigma", "participation_sigma2", "entropy_rank")
"""Names of the measures, in the order `ranks` gives them."""

_BAND = (2.5, 50.0, 97.5)


def ranks(values: np.ndarray) -> dict[str, float]:
    """Every measure of singular values in any order: (sum s)^2 / sum s^2 and (sum s^2)^2 / sum s^4 are two of them.

    The first is what the original miscope calls participation ratio, the second what the field does; the two differ by
    up to a factor of two, so neither goes without its name.
    """
    s = np.asarray(values, dtype=np.float64)
    measures = (stable_rank(s), participation_ratio(s), participation_ratio(s**2), entropy_rank(s))
    return dict(zip(MEASURES, measures, strict=True))


def stable_rank(values: np.ndarray) -> float:
    """sum s^2 / max s^2; 0 for the zero matrix."""
    squares = np.asarray(values, dtype=np.float64) ** 2
    return float(squares.sum() / squares.max()) if squares.any() else 0.0


def entropy_rank(values: np.ndarray) -> float:
    """exp of the entropy of the shares s^2 / sum s^2; 0 for the zero matrix (Roy & Vetterli 2007, of squares)."""
    squares = np.asarray(values, dtype=np.float64) ** 2
    if not squares.any():
        return 0.0
    share = squares / squares.sum()
    # Of rounding's leftovers the square is a number and its share is none.
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def of_product(factors: Sequence[np.ndarray]) -> np.ndarray:
    """Singular values, descending, of a product of one or two matrices (..., m, k) (..., k, n): at most k of them.

    Of two, from the triangular factors of both, so that a product of thin matrices is never formed.
    """
    if len(factors) == 1:
        return np.linalg.svd(factors[0], compute_uv=False)
    left, right = factors
    upper = np.linalg.qr(left, mode="r") if left.shape[-2] > left.shape[-1] else left
    lower = np.linalg.qr(np.swapaxes(right, -1, -2), mode="r") if right.shape[-1] > right.shape[-2] else None
    middle = upper @ (right if lower is None else np.swapaxes(lower, -1, -2))
    return np.linalg.svd(middle, compute_uv=False)


@functools.lru_cache(maxsize=256)
def gaussian_null(shapes: tuple[tuple[int, int], ...], draws: int, seed: int) -> dict[str, np.ndarray]:
    """(3,) 2.5, 50 and 97.5 % of every measure over matrices of independent Gaussian entries, or products of two.

    Every measure is free of scale, so the null depends on the shapes alone: it is drawn once a process.
    """
    random = np.random.default_rng(seed)
    drawn = [ranks(of_product([random.standard_normal(shape) for shape in shapes])) for _ in range(draws)]
    return {name: np.percentile([measures[name] for measures in drawn], _BAND) for name in MEASURES}
