"""Activations of many inputs, in as many passes as memory asks for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, TypeAlias

from miscope.lazily import torch
from miscope.model import Activations

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["activations"]

_BATCH = 1 << 14
"""Inputs in one forward pass: bounds what a model holds between its layers."""


Forward: TypeAlias = "Callable[[Mapping[str, Tensor], Tensor, Collection[str]], Activations]"
"""(weights, inputs, sites) -> activations: a model's `run` or `answers`."""


def activations(
    forward: Forward, weights: Mapping[str, Tensor], inputs: Tensor, sites: Collection[str]
) -> dict[str, Tensor]:
    """Activations of each site for all inputs, (N, ...), detached; inputs that are no tokens are cast."""
    if not sites:
        return {}
    if inputs.is_floating_point():
        inputs = inputs.to(next(iter(weights.values())).dtype)
    with torch.no_grad():
        parts = [forward(weights, some, sorted(sites)) for some in inputs.split(_BATCH)]
    return {name: torch.cat([part[name] for part in parts]) if len(parts) > 1 else parts[0][name] for name in sites}
