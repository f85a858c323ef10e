"""Known features as a network: their sum in one space and, where there is one, in another; or with noise."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor, nn

__all__ = ["KnownNetwork", "NoisyNetwork"]

_CONSTANT = 0.3
"""Added to every number of the second site."""


@final
class KnownNetwork(nn.Module):
    """(batch, features) -> (batch, 1, d_model); the second site is beside that."""

    def __init__(self, params: Any) -> None:
        super().__init__()
        self.W_E = nn.Parameter(torch.zeros(params.features, params.width))
        self.W_out = None if params.width_out is None else nn.Parameter(torch.zeros(params.features, params.width_out))
        self.hook_out = nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        if self.W_out is not None:
            self.hook_out(features[:, None] @ self.W_out + _CONSTANT)
        return features[:, None] @ self.W_E


@final
class NoisyNetwork(nn.Module):
    """(batch, features and noise) -> (batch, 1, d_model)."""

    def __init__(self, params: Any) -> None:
        super().__init__()
        self.W_E = nn.Parameter(torch.zeros(params.features, params.width))
        self.W_noise = nn.Parameter(torch.zeros(params.checkpoints * params.width, params.width))
        self.b_E = nn.Parameter(torch.zeros(params.width))

    def forward(self, inputs: Tensor) -> Tensor:
        features, noise = inputs[:, None].split([len(self.W_E), len(self.W_noise)], dim=-1)
        return features @ self.W_E + noise @ self.W_noise + self.b_E
