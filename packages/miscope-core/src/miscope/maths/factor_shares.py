"""How an activation over a grid of two factors splits: main effects, interactions, and functions of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.basis import Basis, Block
from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ClassSums", "answer_powers", "block_powers", "class_power", "class_sums", "own_answer_powers"]

_ROWS = 512
"""Inputs brought to float64 at a time, so that they stay in the cache."""


def block_powers(units: Tensor, first: Basis, second: Basis) -> np.ndarray:
    """Sum of squares in every pair of blocks, (K_a + 1, K_b + 1), the constant's first; over all units together.

    Of units on a grid (q_a, q_b, M). The first row and column are the main effects of a two-way analysis of variance,
    the diagonal the interactions within one block. [0, 0] holds the mean and is left 0.
    """
    centred = units - units.mean(dim=(0, 1))
    half = torch.from_numpy(first.rows).to(units.dtype) @ centred.reshape(len(first.rows), -1)
    columns = torch.from_numpy(second.rows).to(units.dtype)
    # One row of coefficients at a time: all of them together would go through memory three times more.
    rows = [(columns @ row).square_().sum(dim=1) for row in half.reshape(units.shape)]
    power = torch.stack(rows).double().numpy()
    powers = _membership(first) @ power @ _membership(second).T
    powers[0, 0] = 0.0
    return powers


def _membership(basis: Basis) -> np.ndarray:
    """(K + 1, q): 1 where a row of the basis lies in the block, the constant's first."""
    constant = [block for block in basis.blocks if block.label == basis.constant] or [Block("", ())]
    member = np.zeros((len(basis.components) + 1, basis.size))
    for place, block in enumerate((*constant, *basis.components)):
        member[place, list(block.rows)] = 1
    return member


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ClassSums:
    """Units (N, M) added up over each class of inputs."""

    sums: np.ndarray
    """(C, M) float64."""
    counts: np.ndarray
    """(C,) inputs of each class."""
    power: float
    """Sum of squares of all units."""


def class_sums(units: Tensor, classes: np.ndarray, count: int) -> ClassSums:
    """Sums over so many classes, in float64."""
    sums, power = torch.zeros(count, units.shape[1], dtype=torch.float64), 0.0
    index = torch.from_numpy(np.ascontiguousarray(classes))
    for rows, where in zip(units.split(_ROWS), index.split(_ROWS), strict=True):
        exact = rows.double()
        sums.index_add_(0, where, exact)
        power += float(torch.linalg.vector_norm(exact)) ** 2
    counts = np.bincount(classes, minlength=count).astype(np.float64)
    return ClassSums(sums=sums.numpy(), counts=counts, power=power)


def class_power(centred: ClassSums) -> float:
    """Sum of squares of the class means around the mean, every input counted; of units with their mean removed."""
    return float(((centred.sums**2).sum(axis=1) / np.maximum(centred.counts, 1)).sum())


def answer_powers(centred: ClassSums, basis: Basis) -> np.ndarray:
    """Sum of squares, (K,), along each block's functions of the class: for a sum, cos k(a + b) and sin k(a + b).

    The directions of Nanda et al. 2023, section 4.1. Of units with their mean removed. Blocks add up where all classes
    are equally large.
    """
    powers = []
    for block in basis.components:
        rows = basis.rows[list(block.rows)]
        along = rows @ centred.sums
        powers.append((np.linalg.pinv((rows * centred.counts) @ rows.T) @ (along @ along.T)).trace())
    return np.array(powers)


def own_answer_powers(centred: ClassSums, basis: Basis) -> np.ndarray:
    """Square of the coefficient, (K,), along each block's kernel of class and output: for a sum, cos k(a + b - c).

    Of logits (N, q) with their mean over outputs removed; the cube statistic of Nanda et al. 2023.
    """
    powers = []
    for block in basis.components:
        rows = basis.rows[list(block.rows)]
        powers.append(((rows @ centred.sums) * rows).sum() ** 2 / ((rows**2) @ centred.counts).sum())
    return np.array(powers)
