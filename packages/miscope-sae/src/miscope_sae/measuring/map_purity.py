"""How much of a map over two factors one component of their bases holds, with its harmonics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from miscope.basis import Basis
from miscope.maths.factor_spectrum import shared_labels

__all__ = ["Purity", "harmonic_blocks", "purities"]

_CHUNK = 256
"""Maps transformed at once."""
_NOTHING = 1e-9
"""Share of the largest power of a product below which there is none in a block."""
_TIE = 1e-5
"""Relative difference of the two largest shares below which neither is the larger."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Purity:
    """Of M maps, at one degree."""

    share: np.ndarray
    """(M,) largest share of one component; NaN of a map that is the same everywhere."""
    label: np.ndarray
    """(M,) text: that component's; '' where there is none, or where two have as much."""


def purities(maps: np.ndarray, first: Basis, second: Basis, degrees: tuple[int, ...]) -> tuple[Purity, ...]:
    """Of maps (q_a, q_b, M), for each degree the largest share of the power without the mean in one component's block.

    The block of a component is the product of its `harmonic_blocks` over both factors: for frequency k of modular
    addition {0, k, ... nk} x {0, k, ... nk}. In float64; the bases have a component in common.
    """
    labels = shared_labels(first, second)
    blocks = [tuple(_of_shared(basis, degree, labels) for basis in (first, second)) for degree in degrees]
    found = []
    for at in range(0, maps.shape[-1], _CHUNK):
        power, total = _block_power(np.asarray(maps[..., at : at + _CHUNK], dtype=np.float64), first, second)
        shares = np.stack([np.einsum("ka,abm,kb->km", one, power, other, optimize=True) for one, other in blocks])
        found.append(np.where(total > 0, shares / np.where(total > 0, total, 1.0), np.nan))
    together = np.concatenate(found, axis=-1) if found else np.zeros((len(degrees), len(labels), 0))
    return tuple(_best(shares, labels) for shares in together)


def harmonic_blocks(basis: Basis, degree: int) -> np.ndarray:
    """(K, B) bool: which of all blocks hold polynomials of this degree in the functions of each component.

    Of a Fourier basis {0, k, 2k, ... degree k}, folded at n / 2; of degree 1 the constant and the component itself.
    """
    members = _members(basis)
    found = np.zeros((len(basis.components), len(basis.blocks)), dtype=bool)
    for k, component in enumerate(basis.components):
        own = basis.rows[list(component.rows)]
        reached = np.array([block.label in (basis.constant, component.label) for block in basis.blocks])
        for _ in range(degree - 1):
            there = basis.rows[members[reached].any(axis=0)]
            products = (own[:, None] * there[None]).reshape(-1, basis.size)
            power = members @ ((products @ basis.rows.T) ** 2).sum(axis=0)
            reached = reached | (power > _NOTHING * power.max())
        found[k] = reached
    return found


def _of_shared(basis: Basis, degree: int, labels: tuple[str, ...]) -> np.ndarray:
    """(K, B) the blocks of the components of these labels."""
    wanted = [basis.labels.index(label) for label in labels]
    return harmonic_blocks(basis, degree)[wanted].astype(np.float64)


def _block_power(maps: np.ndarray, first: Basis, second: Basis) -> tuple[np.ndarray, np.ndarray]:
    """Power without the mean in each pair of blocks, (A, B, M), and altogether, (M,); 0 of what is alike everywhere."""
    mean = maps.mean(axis=(0, 1))
    centred = maps - mean
    total = (centred**2).sum(axis=(0, 1))
    half = np.tensordot(first.rows, centred, axes=1)
    power = np.tensordot(second.rows, half, axes=(1, 1)) ** 2
    power = np.tensordot(_members(second), power, axes=1)
    power = np.tensordot(_members(first), power, axes=(1, 1))
    # What rounding leaves of a constant is not power.
    return power, np.where(total > 1e-10 * mean**2 * maps[..., 0].size, total, 0.0)


def _members(basis: Basis) -> np.ndarray:
    """(B, q) which rows each block holds."""
    member = np.zeros((len(basis.blocks), basis.size))
    for number, block in enumerate(basis.blocks):
        member[number, list(block.rows)] = 1
    return member


def _best(shares: np.ndarray, labels: tuple[str, ...]) -> Purity:
    most = shares.max(axis=0)
    tied = (shares >= (1 - _TIE) * most).sum(axis=0) > 1
    label = np.array(labels, dtype=np.str_)[np.nan_to_num(shares).argmax(axis=0)]
    return Purity(share=most, label=np.where(tied | ~np.isfinite(most), "", label))
