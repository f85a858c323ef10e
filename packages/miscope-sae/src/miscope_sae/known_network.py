"""Known features as a network: their sum in one space and, where there is one, in another."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor, nn

__all__ = ["KnownNetwork"]

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
