"""What the principal components of a path look like when it is a random walk with the same step lengths: the null."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from miscope.maths.path_pca import cosine_agreement, shapes

__all__ = ["BAND", "WalkNull", "directions", "effective_dimension", "leading_scores", "null_of", "walk", "walk_null"]

BAND = (2.5, 50.0, 97.5)
"""Percentiles of a null, in the order its bands are stored."""

_SPARE = 8
_ROUNDS = 8
"""Subspace iteration: with so many spare columns and rounds the first four components of a walk are good to 1e-9."""
_SHORT = 2
"""A path that has no more points than this times those columns is taken apart whole."""
_TOGETHER = 2**17
"""Numbers of the walks that are computed together; 1 MiB, which a core has at hand."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class WalkNull:
    """Percentiles over the draws, and one draw to look at."""

    explained: np.ndarray
    """(3, c) share of variance of each component."""
    area: np.ndarray
    """(3, 2) loop area over bounding box, of components 1-2 and 2-3."""
    cosine: np.ndarray
    """(3, c) |correlation| with cos(pi k t / T)."""
    areas: np.ndarray
    """(draws, 2) the loop areas of every draw."""
    path: np.ndarray
    """(T, c) scores of the first draw, in the units of the step lengths."""


def walk_null(lengths: np.ndarray, dimension: int, *, draws: int, seed: int, count: int) -> WalkNull:
    """Bands from walks in `dimension` whose steps have exactly these lengths and independent uniform directions."""
    return null_of(lambda random: walk(lengths, dimension, random), draws=draws, seed=seed, count=count)


def null_of(draw: Callable[[np.random.Generator], np.ndarray], *, draws: int, seed: int, count: int) -> WalkNull:
    """Bands from so many paths (T, m) as `draw` makes them."""
    random = np.random.default_rng(seed)
    explained, areas, cosines, path = [], [], [], None
    for points in _together(draw(random) for _ in range(draws)):
        scores, share = leading_scores(points, min(count, points.shape[1] - 1))
        explained.append(share)
        areas.append(shapes(scores))
        cosines.append(cosine_agreement(scores))
        path = scores[0] if path is None else path
    assert path is not None
    bands = (np.percentile(np.concatenate(values), BAND, axis=0) for values in (explained, areas, cosines))
    named = dict(zip(("explained", "area", "cosine"), bands, strict=True))
    return WalkNull(**named, areas=np.concatenate(areas), path=path)


def _together(paths: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The paths (T, m), several at a time: (n, T, m)."""
    held: list[np.ndarray] = []
    for path in paths:
        held.append(path)
        if len(held) * path.size >= _TOGETHER:
            yield np.stack(held)
            held = []
    if held:
        yield np.stack(held)


def effective_dimension(squares: Sequence[float], sizes: Sequence[int]) -> int:
    """Dimensions of an isotropic walk whose steps are as nearly orthogonal as those of one isotropic in each tensor.

    squares: of each tensor's steps, summed; sizes: its parameters. Two independent steps g, h of such a walk have
    E[(g . h)^2] / (E[g . g] E[h . h]) = sum of w_r^2 / n_r over tensors r, with w_r the tensor's share of the squares.
    """
    total = sum(squares)
    if total <= 0:
        return sum(sizes)
    return max(1, round(1 / sum((square / total) ** 2 / size for square, size in zip(squares, sizes, strict=True))))


def walk(lengths: np.ndarray, dimension: int, random: np.random.Generator) -> np.ndarray:
    """A random walk of T points in coordinates that keep all its distances, (T, min(T - 1, dimension))."""
    steps = directions(len(lengths), dimension, random)
    steps *= (lengths / np.linalg.norm(steps, axis=1))[:, None]
    return np.concatenate([np.zeros((1, steps.shape[1])), np.cumsum(steps, axis=0)])


def directions(count: int, dimension: int, random: np.random.Generator) -> np.ndarray:
    """Independent Gaussian vectors (count, min(count, dimension)) in coordinates that keep their inner products.

    The Gram matrix of n such vectors in D dimensions is Wishart, so its Bartlett factor, lower triangular with
    chi-distributed diagonal, has the same distribution at a cost that does not depend on D.
    """
    if dimension <= count:
        return random.standard_normal((count, dimension))
    vectors = np.tril(random.standard_normal((count, count)), -1)
    vectors[np.diag_indices(count)] = np.sqrt(random.chisquare(dimension - np.arange(count)))
    return vectors


def leading_scores(points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores (..., T, count) and explained shares (..., count) of the first principal components of smooth paths
    (..., T, m).

    By subspace iteration from cosines, which a walk's components nearly are: T x m x count work instead of T^3. Exactly
    where the path is so short that this is no less.
    """
    centred = points - points.mean(axis=-2, keepdims=True)
    width = min(count + _SPARE, *centred.shape[-2:])
    basis = None if min(centred.shape[-2:]) <= _SHORT * width else _subspace(centred, width)
    within = centred if basis is None else basis.swapaxes(-2, -1) @ centred
    left, values, _ = np.linalg.svd(within, full_matrices=False)
    count = min(count, width)
    axes = left[..., :count] if basis is None else basis @ left[..., :count]
    total = np.maximum((centred**2).sum(axis=(-2, -1)), np.finfo(float).tiny)[..., None]
    return axes * values[..., None, :count], values[..., :count] ** 2 / total


def _subspace(centred: np.ndarray, width: int) -> np.ndarray:
    """(..., T, width) orthonormal columns that nearly span the first components."""
    t = (np.arange(centred.shape[-2]) + 0.5) / centred.shape[-2]
    basis = np.linalg.qr(np.cos(np.pi * np.outer(t, np.arange(1, width + 1))))[0]
    for _ in range(_ROUNDS):
        basis = np.linalg.qr(centred @ (centred.swapaxes(-2, -1) @ basis))[0]
    return basis
