"""How an activation over a grid of two factors splits: main effects, interactions, and functions of the answer."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from miscope.basis import Basis, Block

__all__ = ["answer_powers", "block_powers", "class_power", "own_answer_powers"]


def block_powers(units: Tensor, first: Basis, second: Basis) -> np.ndarray:
    """Sum of squares in every pair of blocks, (K_a + 1, K_b + 1), the constant's first; over all units together.

    Of units on a grid (q_a, q_b, M). The first row and column are the main effects of a two-way analysis of variance,
    the diagonal the interactions within one block. [0, 0] holds the mean and is left 0.
    """
    centred = units - units.mean(dim=(0, 1))
    half = torch.from_numpy(first.rows).to(units.dtype) @ centred.reshape(len(first.rows), -1)
    coefficients = torch.from_numpy(second.rows).to(units.dtype) @ half.reshape(units.shape)
    power = coefficients.square().sum(dim=2).double().numpy()
    rows, columns = (_ordered(basis) for basis in (first, second))
    found = np.array([[power[np.ix_(a.rows, b.rows)].sum() for b in columns] for a in rows])
    found[0, 0] = 0.0
    return found


def _ordered(basis: Basis) -> tuple[Block, ...]:
    constant = [block for block in basis.blocks if block.label == basis.constant] or [Block("", ())]
    return (*constant, *basis.components)


def class_power(units: Tensor, classes: np.ndarray) -> float:
    """Sum of squares of the class means around the mean, every input counted; units (N, M)."""
    sums, counts = _sums(units - units.mean(dim=0), classes, int(classes.max()) + 1)
    return float(((sums**2).sum(axis=1) / np.maximum(counts, 1)).sum())


def answer_powers(units: Tensor, classes: np.ndarray, basis: Basis) -> np.ndarray:
    """Sum of squares, (K,), along each block's functions of the class: for a sum, cos k(a + b) and sin k(a + b).

    The directions of Nanda et al. 2023, section 4.1. Units (N, M). Blocks add up where all classes are equally large.
    """
    sums, counts = _sums(units - units.mean(dim=0), classes, basis.size)
    found = []
    for block in basis.components:
        rows = basis.rows[list(block.rows)]
        along = rows @ sums
        found.append(np.trace(along.T @ np.linalg.pinv((rows * counts) @ rows.T) @ along))
    return np.array(found)


def own_answer_powers(logits: Tensor, classes: np.ndarray, basis: Basis) -> np.ndarray:
    """Square of the coefficient, (K,), along each block's kernel of class and output: for a sum, cos k(a + b - c).

    Of logits (N, q), their mean over outputs removed; the cube statistic of Nanda et al. 2023.
    """
    sums, counts = _sums(logits - logits.mean(dim=1, keepdim=True), classes, basis.size)
    found = []
    for block in basis.components:
        rows = basis.rows[list(block.rows)]
        found.append(((rows @ sums) * rows).sum() ** 2 / ((rows**2) @ counts).sum())
    return np.array(found)


def _sums(units: Tensor, classes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(C, M) sum over each class, in float64, and (C,) its inputs."""
    sums = torch.zeros(count, units.shape[1], dtype=torch.float64)
    sums.index_add_(0, torch.from_numpy(np.ascontiguousarray(classes)), units.double())
    return sums.numpy(), np.bincount(classes, minlength=count).astype(np.float64)
