"""The seed's measurements of a network's size: its weights, and what its output layer reads."""

from __future__ import annotations

import torch
from torch import Tensor

from miscope_lal.seed.history import weight_layers
from miscope_lal.seed.networks import Network

__all__ = ["compute_layer_weight_norms", "compute_representation_norm"]


def compute_representation_norm(model: Network, inputs: Tensor) -> float:
    """Mean length of `get_representation(inputs)`; `representation.norm` is the instrument."""
    with torch.no_grad():
        return float(model.get_representation(inputs).double().norm(dim=1).mean())


def compute_layer_weight_norms(model: Network) -> dict[str, float]:
    """Frobenius norm of each weight with two axes or more, by name, in the order of 'layer_I_weight_norm'."""
    weights, found = model.by_role, dict[str, float]()
    for name, roles in weight_layers(model.model.roles):
        squares = sum(float(weights[role].detach().double().square().sum()) for role in roles)
        found[name] = squares**0.5
    return found
