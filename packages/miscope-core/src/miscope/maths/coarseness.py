"""At which scale a map over two factors varies: coarse blobs, fine plaids, stripes along one factor."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.basis import Basis
from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Scales", "automorphisms", "is_cyclic", "low_share_of_noise", "preserved_variance", "scales"]

_ROUNDING = 1e-10


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Scales:
    """Of M maps; each (M,) float64 unless said otherwise, NaN for a map without variance."""

    variance: np.ndarray
    low: np.ndarray
    """Share of the power without the mean within the radius: coarse structure."""
    gradient: np.ndarray
    """Mean absolute difference between neighbours, over both factors."""
    roughness: np.ndarray
    """That over the standard deviation."""
    centroid: np.ndarray
    """Mean distance of the power from the origin, cycles a cell."""
    bandwidth: np.ndarray
    """Its standard deviation."""
    stripes: np.ndarray
    """(2, M) share of the power in functions of the first factor alone, and of the second."""
    radial: np.ndarray
    """(rings, M) share of the power in each of equally wide rings, out to the corner."""
    unwrapped: np.ndarray
    """Largest `low` under the automorphisms x -> u x of both factors at once; NaN where there are none."""
    unit: np.ndarray
    """(M,) int: the smallest u that gives it; 0 where there are none."""


def scales(maps: Tensor, *, radius: float = 0.125, rings: int = 16, units: tuple[int, ...] = ()) -> Scales:
    """Of maps (q_a, q_b, M). radius: in cycles a cell, inclusive. units: u of the automorphisms to unwrap by.

    Multiplying both factors by u permutes the frequencies, so all of them cost one product of matrices.
    """
    shape = (maps.shape[0], maps.shape[1])
    mean = maps.mean(dim=(0, 1))
    centred = maps - mean
    power = _power(centred)
    variance = centred.square().mean(dim=(0, 1)).double().numpy()
    still = variance <= _ROUNDING * mean.double().square().numpy()
    share = power / power.sum(dim=0).clamp_min(torch.finfo(power.dtype).tiny)
    distance = _distances(shape)
    low = _masks(shape, radius, (1, *units)) @ share.double()
    ring = np.minimum((distance * rings / math.sqrt(0.5)).astype(int), rings - 1)
    radial = torch.zeros(rings, share.shape[1]).index_add_(0, torch.from_numpy(ring), share.float())
    centroid, square = (torch.from_numpy(d).float() @ share.float() for d in (distance, distance**2))
    first, second = _frequencies(shape)
    stripes = torch.stack([share[torch.from_numpy(zero == 0)].sum(0) for zero in (second, first)])
    gradient = (maps.diff(dim=0).abs().mean((0, 1)) + maps.diff(dim=1).abs().mean((0, 1))).double().numpy() / 2
    blank = np.where(still, np.nan, 0.0)
    best = low[1:].max(dim=0) if units else None
    return Scales(
        variance=np.where(still, 0.0, variance),
        low=low[0].numpy() + blank,
        gradient=gradient,
        roughness=gradient / np.sqrt(np.where(still, 1.0, variance)) + blank,
        centroid=centroid.double().numpy() + blank,
        bandwidth=np.sqrt(np.maximum((square - centroid**2).double().numpy(), 0)) + blank,
        stripes=stripes.double().numpy() + blank,
        radial=radial.double().numpy() + blank,
        unwrapped=blank * np.nan if best is None else best.values.numpy() + blank,
        unit=np.zeros(len(blank), dtype=int) if best is None else np.where(still, 0, np.array(units)[best.indices]),
    )


def automorphisms(first: Basis | None, second: Basis | None) -> tuple[int, ...]:
    """u of x -> u x, up to sign, where both factors are counted by one Fourier basis; () where they are not."""
    if first is None or second is None or first.size != second.size or not (is_cyclic(first) and is_cyclic(second)):
        return ()
    return tuple(u for u in range(1, first.size // 2 + 1) if math.gcd(u, first.size) == 1)


def is_cyclic(basis: Basis) -> bool:
    """Whether block 'k' is spanned by cos and sin of 2 pi k x / q, whatever the basis is called."""
    spectrum = np.abs(np.fft.fft(basis.rows, axis=1)) ** 2
    for block in basis.components:
        if not block.label.isdecimal():
            return False
        power = spectrum[list(block.rows)].sum(axis=0)
        k = int(block.label) % basis.size
        if not np.isclose(power[k] + (power[-k] if 2 * k != basis.size else 0), power.sum()):
            return False
    return True


def low_share_of_noise(shape: tuple[int, int], radius: float = 0.125) -> float:
    """What `low` is of white noise: the share of coefficients within the radius."""
    first, second = (_multiplicity(q) for q in shape)
    counts = torch.from_numpy(np.outer(first, second).ravel())
    counts[0] = 0
    return float((_masks(shape, radius, (1,)) @ counts)[0] / counts.sum())


def preserved_variance(maps: Tensor, size: int = 14, *, area: bool = True) -> Tensor:
    """Share of each map's variance, (M,), that is left after shrinking it to (size, size) and back, of (q_a, q_b, M).

    Back by bilinear interpolation. area: shrink by area averaging; False samples bilinearly, which folds fine
    structure onto coarse. Unbiased variances.
    """
    shrink = [_shrinking(q, min(size, q), area).to(maps.dtype) for q in maps.shape[:2]]
    grow = [_growing(len(s), s.shape[1]).to(maps.dtype) for s in shrink]
    centred = maps - maps.mean(dim=(0, 1))
    half = (shrink[0] @ centred.flatten(1)).unflatten(1, centred.shape[1:])
    small = shrink[1] @ half
    # Sums over the map grown again, without growing it.
    ones = [g.sum(dim=0) for g in grow]
    inner = torch.einsum("ij,jkm,kl->ilm", grow[0].T @ grow[0], small, grow[1].T @ grow[1])
    count = maps.shape[0] * maps.shape[1]
    total = torch.einsum("i,ilm,l->m", ones[0], small, ones[1])
    left = ((inner * small).sum(dim=(0, 1)) - total.square() / count) / (count - 1)
    whole = centred.square().sum(dim=(0, 1)) / (count - 1)
    return torch.where(whole > 0, left / whole.clamp_min(torch.finfo(maps.dtype).tiny), torch.nan)


def _power(centred: Tensor) -> Tensor:
    """(pairs of unsigned frequencies, M): sum of squares of maps (q_a, q_b, M) at each, the mean's pair set to 0."""
    first, second = (_waves(q).to(centred.dtype) for q in centred.shape[:2])
    half = (first @ centred.flatten(1)).unflatten(1, centred.shape[1:])
    squares = (second @ half).square_()
    power = squares.unflatten(1, (-1, 2)).sum(dim=2).unflatten(0, (-1, 2)).sum(dim=1).flatten(0, 1)
    power[0] = 0
    return power


@functools.cache
def _waves(q: int) -> Tensor:
    """(2 (q // 2 + 1), q) orthonormal cosine and sine of each frequency from 0; rows that would vanish are 0."""
    k, x = np.arange(q // 2 + 1), np.arange(q)
    angle = 2 * np.pi * np.outer(k, x) / q
    rows = np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.sqrt(_multiplicity(q) / q)[:, None, None]
    rows[0, 1] = 0
    if q % 2 == 0:
        rows[-1, 1] = 0
    return torch.from_numpy(rows.reshape(-1, q))


def _multiplicity(q: int) -> np.ndarray:
    """(q // 2 + 1,) how many signed frequencies each unsigned one stands for."""
    counts = np.full(q // 2 + 1, 2.0)
    counts[0] = 1
    if q % 2 == 0:
        counts[-1] = 1
    return counts


def _frequencies(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Unsigned frequencies of the two factors at every pair, flat, in cycles a cell."""
    first, second = np.meshgrid(*(np.arange(q // 2 + 1) / q for q in shape), indexing="ij")
    return first.ravel(), second.ravel()


def _distances(shape: tuple[int, int]) -> np.ndarray:
    return np.hypot(*_frequencies(shape))


@functools.lru_cache(maxsize=8)
def _masks(shape: tuple[int, int], radius: float, units: tuple[int, ...]) -> Tensor:
    """(unit, coefficient) float64: whether the coefficient lies within the radius once both factors are unwrapped."""
    first, second = (np.rint(f * q).astype(int) for f, q in zip(_frequencies(shape), shape, strict=True))
    rows = []
    for u in units:
        a, b = (_centred(u * f, q) / q for f, q in zip((first, second), shape, strict=True))
        rows.append(np.hypot(a, b) <= radius + 1e-12)
    return torch.from_numpy(np.array(rows)).double()


def _centred(frequency: np.ndarray, q: int) -> np.ndarray:
    return (frequency + q // 2) % q - q // 2


@functools.cache
def _shrinking(large: int, small: int, area: bool) -> Tensor:
    if area:
        edges = np.arange(small + 1) * large / small
        starts = np.arange(large)
        covered = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
        return torch.from_numpy(np.maximum(covered, 0) * small / large)
    return _interpolating(large, small)


def _growing(small: int, large: int) -> Tensor:
    return _interpolating(small, large)


@functools.cache
def _interpolating(there: int, wanted: int) -> Tensor:
    """(wanted, there) linear interpolation between the middles of cells, constant beyond the first and the last."""
    at = ((np.arange(wanted) + 0.5) * there / wanted - 0.5).clip(0, there - 1)
    below = np.minimum(at.astype(int), max(there - 2, 0))
    weights = np.zeros((wanted, there))
    weights[np.arange(wanted), below] += 1 - (at - below)
    weights[np.arange(wanted), np.minimum(below + 1, there - 1)] += at - below
    return torch.from_numpy(weights)
