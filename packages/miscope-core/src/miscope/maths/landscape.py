"""Points around and between weights, at which the loss is taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["KINDS", "add", "drawn", "mix", "scaled"]

KINDS = ("relative", "filter", "isotropic")
"""How a direction is scaled: each tensor as long as the weights it moves, each unit of it, or all of it of length 1."""

_UNITS = ("d_mlp", "head", "token", "vocab_out", "position")
"""Axes whose entries are filters in the sense of Li et al. 2018, the first of these that a tensor has."""

Weights: TypeAlias = "Mapping[str, Tensor]"


def drawn(weights: Weights, seed: int, index: int) -> dict[str, Tensor]:
    """Independent Gaussian entries in the shape of the weights: the same at every checkpoint for a seed and index."""
    random = torch.Generator().manual_seed((seed << 16) + index)
    return {role: torch.randn(tensor.shape, generator=random, dtype=torch.float64) for role, tensor in weights.items()}


def scaled(noise: Weights, weights: Weights, kind: str, axes: Mapping[str, tuple[str, ...]]) -> dict[str, Tensor]:
    """The noise as a direction of the kind: |u| = 1, |u_W| = |W| for each tensor, or the same for each unit of it."""
    if kind == "isotropic":
        length = float(sum(float(tensor.square().sum()) for tensor in noise.values())) ** 0.5
        return {role: tensor / length for role, tensor in noise.items()}
    kept = {role: _kept(axes.get(role, ())) if kind == "filter" else None for role in noise}
    return {role: u * _lengths(weights[role], kept[role]) / _lengths(u, kept[role]) for role, u in noise.items()}


def _kept(axes: tuple[str, ...]) -> int | None:
    """The axis along which units are told apart; None for a vector, which is one unit as a whole."""
    units = [unit for unit in _UNITS if unit in axes] if len(axes) > 1 else []
    return axes.index(units[0]) if units else None


def _lengths(tensor: Tensor, kept: int | None) -> Tensor:
    over = [axis for axis in range(tensor.ndim) if axis != kept]
    return tensor.square().sum(dim=over, keepdim=True).sqrt().clamp(min=torch.finfo(tensor.dtype).tiny)


def add(weights: Weights, along: Weights, distance: float) -> dict[str, Tensor]:
    """weights + distance * along."""
    return {role: tensor + distance * along[role] for role, tensor in weights.items()}


def mix(first: Weights, second: Weights, alpha: float) -> dict[str, Tensor]:
    """(1 - alpha) first + alpha second."""
    return {role: (1 - alpha) * tensor + alpha * second[role] for role, tensor in first.items()}
