"""What the toys' networks have in common: parameters by role and axes, hook points, weights drawn from a seed."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from miscope.model import HookedModel, Model, Role

__all__ = ["drawn_weights", "hooked_by_role", "register_by_role"]

Axes = Mapping[str, tuple[str, ...]]
"""What each axis of a role counts."""


def register_by_role(net: nn.Module, axes: Axes, sizes: Mapping[str, int]) -> None:
    """Give the network a parameter for each role, called as the role ends, of these sizes of the axes."""
    for role, names in axes.items():
        net.register_parameter(_own(role), nn.Parameter(torch.zeros([sizes[name] for name in names])))


def hooked_by_role(net: nn.Module, axes: Axes, sites: Mapping[str, nn.Module]) -> HookedModel:
    """The network so registered, with these hook points."""
    shapes = {role: tuple(net.get_parameter(_own(role)).shape) for role in axes}
    return HookedModel(
        net,
        roles=[Role(name=role, axes=names, shape=shapes[role]) for role, names in axes.items()],
        sites=sites,
        place=lambda weights: {_own(role): tensor for role, tensor in weights.items()},
    )


def drawn_weights(model: Model, seed: int) -> dict[str, Tensor]:
    """By role, from N(0, 0.3^2); the same at every call."""
    generator = torch.Generator().manual_seed(seed)
    return {name: 0.3 * torch.randn(role.shape, generator=generator) for name, role in model.roles.items()}


def _own(role: str) -> str:
    return role.split(".")[-1]
