"""Whether points that stand for values lie on circles: in the planes of a basis, or in any pair of directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from miscope.basis import Basis

__all__ = ["Fit", "Planes", "circle_fit", "planes", "shuffled"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Planes:
    """How points (q, D), one for each value, lie in the plane of every block of a basis; K blocks."""

    share: np.ndarray
    """(K,) share of the points' variance along the block's functions of the value."""
    axis_ratio: np.ndarray
    """(K,) minor over major axis of the ellipse they draw: 1 a circle, 0 a line. NaN for a block that has not two
    functions, and so no plane."""
    angular: np.ndarray
    """(K,) how well the block's angle tells the angle in the plane, with the ellipse made round: squared mean resultant
    length, 1 exact. NaN for a block that has not two functions."""
    coordinates: np.ndarray
    """(K, q, 2) the points in the plane, turned so that a perfect circle is (cos, sin); of a larger block, along the
    two widest directions of its coefficients; of a block of one function, along it and 0."""
    held: np.ndarray
    """(K,) share of the points' variance in the block that the coordinates hold: 1 for one function or two."""


def planes(points: np.ndarray, basis: Basis) -> Planes:
    """Of centred points (q, D), in the plane of each block of two functions; larger ones have no plane of their own."""
    total = max(float((points**2).sum()), np.finfo(float).tiny)
    per_block = [_plane(points, basis.rows[list(block.rows)]) for block in basis.components]
    power, held, ratio, angular, coordinates = zip(*per_block, strict=True)
    return Planes(
        share=np.array(power) / total,
        axis_ratio=np.array(ratio),
        angular=np.array(angular),
        coordinates=np.stack(coordinates),
        held=np.array(held),
    )


def _plane(points: np.ndarray, rows: np.ndarray) -> tuple[float, float, float, float, np.ndarray]:
    left, spread, right = np.linalg.svd(rows @ points, full_matrices=False)
    power = float((spread**2).sum())
    turned = points @ right.T @ left.T
    flat = np.pad(turned, ((0, 0), (0, max(0, 2 - turned.shape[1]))))[:, :2]
    held = float((spread[:2] ** 2).sum() / power) if power > 0 else float("nan")
    if len(rows) != 2 or len(spread) < 2 or spread[0] <= 0:
        return power, held, float("nan"), float("nan"), flat
    ratio = float(spread[1] / spread[0])
    if ratio < 1e-9:
        return power, held, ratio, float("nan"), flat
    round_ = points @ right.T / spread @ left.T
    turn = np.arctan2(round_[:, 1], round_[:, 0]) - np.arctan2(rows[1], rows[0])
    return power, held, ratio, float(np.abs(np.exp(1j * turn).mean()) ** 2), flat


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """The circle nearest to points of the plane; arrays of the points' leading shape."""

    circularity: np.ndarray
    """(1 - mean squared distance from the circle over variance) x minor over major axis: 1 a circle, 0 a line."""
    centre: np.ndarray
    """(..., 2)"""
    radius: np.ndarray


def circle_fit(points: np.ndarray) -> Fit:
    """Least squares on x^2 + y^2 + a x + b y + c = 0 (Kasa 1976), of points (..., n, 2)."""
    middle = points.mean(axis=-2, keepdims=True)
    centred = points - middle
    square = (centred**2).sum(axis=-1)
    moments = np.einsum("...ni,...nj->...ij", centred, centred)
    width = np.linalg.eigvalsh(moments).clip(min=0)
    slope = np.einsum("...ij,...j->...i", np.linalg.pinv(moments), np.einsum("...ni,...n->...i", centred, square))
    centre = slope / 2
    radius = np.sqrt((centre**2).sum(axis=-1) + square.mean(axis=-1))
    away = np.linalg.norm(centred - centre[..., None, :], axis=-1) - radius[..., None]
    variance = square.mean(axis=-1)
    still = variance <= 1e-24
    fitted = (1 - (away**2).mean(axis=-1) / np.where(still, 1.0, variance)).clip(0, 1)
    ratio = np.sqrt(width[..., 0] / np.where(width[..., 1] > 0, width[..., 1], 1.0))
    return Fit(circularity=np.where(still, 0.0, fitted * ratio), centre=centre + middle[..., 0, :], radius=radius)


def shuffled(points: np.ndarray, *, draws: int, seed: int) -> np.ndarray:
    """(draws,) circularity of the points (n, 2) with their second coordinates dealt out anew."""
    generator = np.random.default_rng(seed)
    order = generator.permuted(np.tile(np.arange(len(points)), (draws, 1)), axis=1)
    mixed = np.stack([np.broadcast_to(points[:, 0], order.shape), points[order, 1]], axis=-1)
    return circle_fit(mixed).circularity
