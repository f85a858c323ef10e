"""How much of a unit's variance over a grid of two factors lies in one block of a basis over their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope.basis import Basis, Block
from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["block_fractions", "conditional_means_basis", "shared_labels"]


def shared_labels(first: Basis, second: Basis) -> tuple[str, ...]:
    """Labels of the components that both bases have, in the first one's order."""
    return tuple(label for label in first.labels if label in second.labels)


def block_fractions(units: Tensor, first: Basis, second: Basis) -> tuple[Tensor, Tensor]:
    """Share of each unit's centred variance that one block explains, (K, M), and that variance, (M,).

    Of units on a grid (q_a, q_b, M). With C = B_a X B_b^T, block k explains the squares of C over (k or constant) x
    (k or constant) without the mean: for a frequency, the eight coefficients of Nanda et al. 2023. Cross-block products
    are in the total only, so a unit's fractions sum to at most 1. Units that are the same everywhere have variance 0
    and fractions 0. float32 throughout; the mean is removed first, so fractions are good to about 1e-5.
    """
    mean = units.mean(dim=(0, 1))
    centred = units - mean
    total = centred.square().sum(dim=(0, 1))
    # What rounding leaves of a constant is not variance.
    total = torch.where(total > 1e-10 * mean.square() * units[..., 0].numel(), total, 0.0)
    rows, columns = _tensor(first.rows, units), _tensor(second.rows, units)
    half = (rows @ centred.reshape(len(rows), -1)).reshape(centred.shape)
    power = [
        (columns[_with_constant(second, label)] @ half[_with_constant(first, label)]).square().sum(dim=(0, 1))
        for label in shared_labels(first, second)
    ]
    shares = torch.stack(power) / total.clamp_min(torch.finfo(units.dtype).tiny)
    return torch.where(total > 0, shares, 0.0), total / units[..., 0].numel()


def conditional_means_basis(units: Tensor) -> tuple[Basis, Basis]:
    """Bases over the two factors' values, from the data: the constant, then the principal components of the means.

    Of units on a grid (q_a, q_b, M). Where both factors have as many values they share one basis, so that its blocks
    mean the same for both. A component is a block of its own, numbered from 1 by falling variance.
    """
    means = [units.mean(dim=1).double().numpy(), units.mean(dim=0).double().numpy()]
    if len(means[0]) == len(means[1]):
        shared = _principal_basis(np.concatenate(means, axis=1))
        return shared, shared
    return _principal_basis(means[0]), _principal_basis(means[1])


def _principal_basis(means: np.ndarray) -> Basis:
    q = len(means)
    constant = np.full((1, q), q**-0.5)
    centred = means - means.mean(axis=0)
    left = np.linalg.svd(centred, full_matrices=True)[0]
    # The constant is orthogonal to every centred column; project it out of what completes the basis, then order it.
    free = left - constant.T @ (constant @ left)
    rows = np.linalg.qr(np.concatenate([constant.T, free], axis=1))[0].T[:q]
    blocks = (Block("const", (0,)), *(Block(str(i), (i,)) for i in range(1, q)))
    return Basis(name="conditional means", unit="component", rows=rows, blocks=blocks)


def _tensor(rows: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(rows)).to(like.dtype)


def _with_constant(basis: Basis, label: str) -> list[int]:
    # After centring the coefficient of constant x constant is zero, so it may stay in.
    return [row for block in basis.blocks if block.label in (basis.constant, label) for row in block.rows]
