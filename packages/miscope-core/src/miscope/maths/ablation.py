"""Activations and weights with a part of them ablated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from miscope.basis import Basis
from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MODES", "ablate", "ablate_component", "ablate_to", "donors", "power_along", "replacement"]

MODES = ("mean", "zero", "resample")


def donors(count: int, seed: int) -> Tensor:
    """(count,) for each input another one, none twice: a single cycle through all of them, the same for a seed."""
    order = np.random.default_rng(seed).permutation(count)
    donor = np.empty(count, dtype=np.int64)
    donor[order] = np.roll(order, 1)
    return torch.from_numpy(donor)


def replacement(activation: Tensor, mode: str, order: Tensor | None) -> Tensor:
    """What replaces ablated activations (batch, position, ...): their mean over the batch, zero, or another input's.

    order: of 'resample', whose activations each input gets.
    """
    if mode == "resample":
        assert order is not None
        return activation[order]
    level = activation.mean(dim=0, keepdim=True) if mode == "mean" else torch.zeros_like(activation[:1])
    return level.expand_as(activation)


def ablate(mode: str, entries: int | Tensor | None, order: Tensor | None = None) -> Callable[[Tensor], Tensor]:
    """A hook that ablates activations (batch, position, ...) by mean, zero or resample, as the mode says.

    entries: only at these of the axis behind the positions, a head or neurons; None for everything.
    """
    return lambda activation: _replaced(activation, replacement(activation, mode, order), entries)


def ablate_to(level: Tensor, entries: Tensor) -> Callable[[Tensor], Tensor]:
    """The same with replacements (batch, position, ...) taken elsewhere, such as in the network as it is."""
    return lambda activation: _replaced(activation, level, entries)


def _replaced(activation: Tensor, level: Tensor, entries: int | Tensor | None) -> Tensor:
    if entries is None:
        return level
    changed = activation.clone()
    changed[:, :, entries] = level[:, :, entries]
    return changed


def power_along(weight: Tensor, axis: int, basis: Basis, rows: Sequence[int]) -> float:
    """Sum of squares of the weight along these rows of a basis over the first entries of the axis."""
    directions = torch.from_numpy(np.ascontiguousarray(basis.rows[list(rows)]))
    first = weight.movedim(axis, 0)[: basis.size].double()
    return float((directions @ first.reshape(basis.size, -1)).square().sum())


def ablate_component(weight: Tensor, axis: int, basis: Basis, rows: Sequence[int]) -> Tensor:
    """The weight without its part along these rows of a basis; entries of the axis beyond the basis stay."""
    along = torch.from_numpy(np.ascontiguousarray(basis.rows[list(rows)])).to(weight.dtype)
    changed = weight.movedim(axis, 0).clone()
    inside = changed[: basis.size]
    inside -= (along.T @ (along @ inside.reshape(basis.size, -1))).reshape(inside.shape)
    return changed.movedim(0, axis)
