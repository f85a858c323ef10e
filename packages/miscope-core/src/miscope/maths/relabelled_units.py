"""Null of what a unit has of a block: the same units with the values of the factors in another order."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from miscope.basis import Basis
from miscope.lazily import torch
from miscope.maths.factor_spectrum import block_fractions

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["largest_when_relabelled", "relabelled"]


def relabelled(units: Tensor, generator: torch.Generator) -> Tensor:
    """Units on a grid (q_a, q_b, M), the values of each unit's factors in an order of its own.

    Both factors' values in the same order where there are as many, so that a unit that treats them alike still does.
    """
    rows, columns, count = units.shape
    first = torch.rand(rows, count, generator=generator).argsort(dim=0)
    second = first if columns == rows else torch.rand(columns, count, generator=generator).argsort(dim=0)
    moved = units.gather(0, first[:, None].expand(units.shape))
    return moved.gather(1, second[None].expand(units.shape))


def largest_when_relabelled(
    units: Tensor, bases: Callable[[Tensor], tuple[Basis, Basis]], *, draws: int, seed: int
) -> np.ndarray:
    """(n,) largest block fraction of at least so many relabelled units (q_a, q_b, M) that are not the same everywhere.

    bases: of relabelled units, since they may be the units' own. Where the values of a factor are alike to begin with,
    as independent equal Gaussian embeddings are, this is exactly the null distribution. Permutation test: Fisher
    1935; its use against a model's own units: Hewitt & Liang 2019 (arXiv 1909.03368).
    """
    generator = torch.Generator().manual_seed(seed)
    _, variance = block_fractions(units, *bases(units))
    live = units[..., variance > 0]
    largest: list[np.ndarray] = []
    for _ in range(-(-draws // live.shape[-1]) if live.shape[-1] else 0):
        moved = relabelled(live, generator)
        largest.append(block_fractions(moved, *bases(moved))[0].amax(dim=0).numpy())
    return np.concatenate(largest).astype(np.float64) if largest else np.zeros(0)
