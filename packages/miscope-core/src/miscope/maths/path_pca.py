"""Principal components of a path through a space too large to hold at once, and the shape of what they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["Components", "centred_gram", "components_of_gram", "cosine_agreement", "distances", "loop_area", "shapes"]

_COLUMNS = 1 << 15
"""Columns brought to float64 at a time."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Components:
    """Where a path of T points lies along its principal directions."""

    scores: np.ndarray
    """(T, k) float64."""
    variance: np.ndarray
    """(k,) sum of squared scores over T."""
    explained: np.ndarray
    """(k,) share of the total variance."""
    directions: np.ndarray
    """(T, k) unit vectors over time: scores by their length."""


def centred_gram(points: np.ndarray) -> np.ndarray:
    """(T, T) float64 inner products of the rows of (T, n), about their mean."""
    gram = np.zeros((len(points), len(points)))
    for start in range(0, points.shape[1], _COLUMNS):
        part = points[:, start : start + _COLUMNS].astype(np.float64)
        part -= part.mean(axis=0)
        gram += part @ part.T
    return gram


def components_of_gram(gram: np.ndarray, count: int) -> Components:
    """The first components from a centred Gram matrix: exact, at a cost that does not depend on the dimension.

    Signs are such that a component ends no lower than it starts. A path of T points has at most T - 1 components;
    those beyond its rank are zero.
    """
    values, vectors = np.linalg.eigh(gram)
    count = min(count, len(gram) - 1)
    values = values[::-1][:count].clip(min=0)
    values[values < 1e-12 * max(values.max(initial=0), np.finfo(float).tiny)] = 0
    directions = vectors[:, ::-1][:, :count]
    directions = directions * np.where(directions[-1] < directions[0], -1.0, 1.0)
    total = max(float(np.trace(gram)), np.finfo(float).tiny)
    return Components(
        scores=directions * np.sqrt(values),
        variance=values / len(gram),
        explained=values / total,
        directions=directions,
    )


def distances(gram: np.ndarray) -> np.ndarray:
    """(T, T) Euclidean distances between the points of a Gram matrix."""
    squares = np.diag(gram)
    return np.sqrt(np.clip(squares[:, None] + squares[None] - 2 * gram, 0, None))


def loop_area(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(...) area inside the closed polygon through the points (..., T) over that of its bounding box; 0 where the box
    has none."""
    box = np.ptp(x, axis=-1) * np.ptp(y, axis=-1)
    area = 0.5 * np.abs((x * np.roll(y, -1, axis=-1) - y * np.roll(x, -1, axis=-1)).sum(axis=-1))
    return np.where(box > 0, area / np.where(box > 0, box, 1.0), 0.0)


def cosine_agreement(scores: np.ndarray) -> np.ndarray:
    """(..., k) |correlation| of component k of (..., T, k) with cos(pi k t / T), the form it takes for any
    high-dimensional random walk.

    NaN of a component that does not vary. Antognini & Sohl-Dickstein 2018, "PCA of high dimensional random walks with
    applications to neural networks".
    """
    length, count = scores.shape[-2:]
    t = (np.arange(length) + 0.5) / length
    cosines = np.cos(np.pi * np.outer(t, np.arange(1, count + 1)))
    centred, cosines = scores - scores.mean(axis=-2, keepdims=True), cosines - cosines.mean(axis=0)
    norms = np.linalg.norm(centred, axis=-2) * np.linalg.norm(cosines, axis=0)
    return np.abs((centred * cosines).sum(axis=-2)) / np.where(norms > 0, norms, np.nan)


def shapes(scores: np.ndarray) -> np.ndarray:
    """(..., 2) loop areas of components 1-2 and 2-3 of (..., T, k); NaN where the path has too few."""
    by_component = np.moveaxis(scores, -1, 0)
    nothing = np.full(scores.shape[:-2], np.nan)
    areas = [loop_area(*by_component[i : i + 2]) if len(by_component) > i + 1 else nothing for i in (0, 1)]
    return np.stack(areas, axis=-1)
