"""Activations and weights with a part of them taken out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from miscope.basis import Basis

__all__ = ["MODES", "power_along", "removed", "without"]

MODES = ("mean", "zero")


def without(mode: str, entries: int | Tensor | None) -> Callable[[Tensor], Tensor]:
    """A function of activations (batch, position, ...) that puts their mean over the batch, or zero, in their place.

    entries: only at these of the axis behind the positions, a head or neurons; None for everything.
    """

    def replaced(activation: Tensor) -> Tensor:
        level = activation.mean(dim=0, keepdim=True) if mode == "mean" else torch.zeros_like(activation[:1])
        if entries is None:
            return level.expand_as(activation)
        changed = activation.clone()
        changed[:, :, entries] = level[:, :, entries]
        return changed

    return replaced


def power_along(weight: Tensor, axis: int, basis: Basis, rows: Sequence[int]) -> float:
    """Sum of squares of the weight along these rows of a basis over the first entries of the axis."""
    directions = torch.from_numpy(np.ascontiguousarray(basis.rows[list(rows)]))
    first = weight.movedim(axis, 0)[: basis.size].double()
    return float((directions @ first.reshape(basis.size, -1)).square().sum())


def removed(weight: Tensor, axis: int, basis: Basis, rows: Sequence[int]) -> Tensor:
    """The weight without its part along these rows of a basis; entries of the axis beyond the basis stay."""
    along = torch.from_numpy(np.ascontiguousarray(basis.rows[list(rows)])).to(weight.dtype)
    changed = weight.movedim(axis, 0).clone()
    inside = changed[: basis.size]
    inside -= (along.T @ (along @ inside.reshape(basis.size, -1))).reshape(inside.shape)
    return changed.movedim(0, axis)
