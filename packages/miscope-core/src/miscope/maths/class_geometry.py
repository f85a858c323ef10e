"""Classes as clouds of activations: where they lie, how wide they are, how well apart, how far collapsed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Clouds", "clouds", "collapse", "dimensions", "fisher", "leading", "simplex_deviation"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Clouds:
    """C classes of activations in D dimensions."""

    centroids: np.ndarray
    """(C, D) float64 class means, about their own mean."""
    radii: np.ndarray
    """(C,) root mean square distance of a class's inputs from its mean."""
    members: tuple[Tensor, ...]
    """Of each class (n, D) float32, its inputs about its mean."""

    @property
    def between(self) -> float:
        """Mean squared distance of the class means from their mean."""
        return float((self.centroids**2).sum(axis=1).mean())

    @property
    def within(self) -> float:
        """Mean squared radius, every class counted alike."""
        return float((self.radii**2).mean())


def clouds(units: Tensor, classes: np.ndarray) -> Clouds:
    """The clouds of activations (N, D), of classes (N,) numbered from 0; none may be empty."""
    counts = np.bincount(classes)
    order = torch.from_numpy(np.argsort(classes, kind="stable"))
    parts = torch.split(units[order], counts.tolist())
    means = torch.stack([part.mean(dim=0, dtype=torch.float64) for part in parts])
    members = [part.double() - mean for part, mean in zip(parts, means, strict=True)]
    radii = torch.stack([member.square().sum(dim=1).mean().sqrt() for member in members])
    return Clouds(
        centroids=(means - means.mean(dim=0)).numpy(),
        radii=radii.numpy(),
        members=tuple(member.float() for member in members),
    )


def fisher(seen: Clouds) -> np.ndarray:
    """(C, C) |mu_r - mu_s|^2 / (r_r^2 + r_s^2), by how much two classes stand apart; NaN on the diagonal and where both
    are points."""
    squares = (seen.centroids**2).sum(axis=1)
    apart = squares[:, None] + squares[None] - 2 * seen.centroids @ seen.centroids.T
    wide = (seen.radii**2)[:, None] + (seen.radii**2)[None]
    ratio = np.full(apart.shape, np.nan)
    np.divide(apart.clip(min=0), wide, out=ratio, where=wide > 0)
    np.fill_diagonal(ratio, np.nan)
    return ratio


def dimensions(seen: Clouds) -> np.ndarray:
    """(C,) participation ratio of each class's own covariance, (sum l)^2 / sum l^2; NaN for a point."""
    ratio = np.full(len(seen.members), np.nan)
    for c, member in enumerate(seen.members):
        tall = member.T if len(member) > member.shape[1] else member
        gram = tall @ tall.T
        power = float(gram.square().sum())
        if power > 0:
            ratio[c] = float(gram.diagonal().sum()) ** 2 / power
    return ratio


def collapse(seen: Clouds, *, tolerance: float) -> float:
    """tr(S_W S_B^+) / C, the variability that is left within classes where they differ: 0 once collapsed.

    Papyan, Han & Donoho 2020, NC1. Directions in which the class means spread by less than `tolerance` of their widest
    are no part of S_B; NaN where the means do not differ at all.
    """
    count = len(seen.centroids)
    _, spread, directions = np.linalg.svd(seen.centroids / np.sqrt(count), full_matrices=False)
    if not len(spread) or spread[0] <= 0:
        return float("nan")
    kept = spread > tolerance * spread[0]
    along = torch.from_numpy(directions[kept].T).float()
    inside = torch.stack([(member @ along).square().mean(dim=0) for member in seen.members]).mean(dim=0)
    return float((inside.double().numpy() / spread[kept] ** 2).sum() / count)


def simplex_deviation(centroids: np.ndarray) -> tuple[float, float]:
    """How far the class means are from the corners of a regular simplex: of their angles, and of their lengths.

    Mean of |cos(mu_r, mu_s) + 1 / (C - 1)| over pairs, and standard deviation over mean of |mu_c|; both 0 once
    collapsed (NC2). NaN where a mean is zero.
    """
    lengths = np.linalg.norm(centroids, axis=1)
    if lengths.min(initial=np.inf) <= 0:
        return float("nan"), float("nan")
    unit = centroids / lengths[:, None]
    pairs = np.triu_indices(len(unit), k=1)
    cosines = (unit @ unit.T)[pairs]
    return float(np.abs(cosines + 1 / (len(unit) - 1)).mean()), float(lengths.std() / lengths.mean())


def leading(points: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (n, k) of centred points (n, D) on their principal axes, and each axis's share of variance (k,).

    Of each axis the coordinate that is largest in size is positive. Axes beyond D or n are zero.
    """
    left, spread, _ = np.linalg.svd(points, full_matrices=False)
    scores = left * spread
    scores *= np.where(scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])] < 0, -1.0, 1.0)
    share = spread**2 / max(float((spread**2).sum()), np.finfo(float).tiny)
    wide = ((0, 0), (0, max(0, count - scores.shape[1])))
    return np.pad(scores, wide)[:, :count], np.pad(share, wide[1])[:count]
