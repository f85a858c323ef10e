"""What is done to activations before they are encoded, and undone after they are decoded."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from miscope.lazily import torch
from miscope_sae.params import Normalisation

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Scale", "Undo", "constant_scale", "normalised"]

Undo: TypeAlias = "Callable[[Tensor], Tensor]"
"""A reconstruction of normalised inputs -> of the inputs as they were."""

Scale: TypeAlias = "float | Tensor"
"""What 'constant_norm' multiplies by: one number, or (d,) one for each of an input's."""

_LEAST = 1e-8
"""Norms below it count as this: an input of nothing stays nothing."""
_EPSILON = 1e-5
"""Added to the standard deviation of an input where it is divided by it; going back it is left out, as in SAELens."""


def constant_scale(inputs: Tensor) -> float:
    """sqrt(d) over the mean norm of (N, d) inputs: the one number that 'constant_norm' multiplies them by."""
    mean = float(inputs.double().norm(dim=-1).mean())
    return math.sqrt(inputs.shape[-1]) / max(mean, _LEAST)


def normalised(mode: Normalisation, scale: Scale, inputs: Tensor) -> tuple[Tensor, Undo]:
    """(..., d) inputs as they are encoded, and how a reconstruction goes back.

    scale: what 'constant_norm' multiplies by.
    """
    if mode == "none":
        return inputs, lambda given: given
    if mode == "constant_norm":
        return inputs * scale, lambda given: given / scale
    if mode == "constant_norm_rescale":
        norms = inputs.norm(dim=-1, keepdim=True).clamp(min=_LEAST) / math.sqrt(inputs.shape[-1])
        return inputs / norms, lambda given: given * norms
    mean = inputs.mean(dim=-1, keepdim=True)
    centred = inputs - mean
    spread = torch.std(centred, dim=-1, keepdim=True)
    return centred / (spread + _EPSILON), lambda given: given * spread + mean
