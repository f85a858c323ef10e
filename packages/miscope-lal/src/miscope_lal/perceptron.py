"""The perceptron as a HookedRootModule. Imported when one is built: TransformerLens takes seconds to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu
from transformer_lens import HookedRootModule
from transformer_lens.hook_points import HookPoint

__all__ = ["Perceptron"]


@final
class Perceptron(HookedRootModule):
    """A linear layer and GELU, as often as there are layers, and a linear layer to the logits."""

    def __init__(self, shapes: Mapping[str, Sequence[int]], layers: int) -> None:
        """shapes: of every role."""
        super().__init__()
        self.W_E_a, self.W_E_b, self.W_U, self.b_U = (
            nn.Parameter(torch.zeros(*shapes[name])) for name in ("W_E.a", "W_E.b", "W_U", "b_U")
        )
        self.blocks = nn.ModuleList([_Block(shapes, layer) for layer in range(layers)])
        self.setup()

    def forward(self, one_hot: Tensor) -> Tensor:
        """Logits (N, 1, prime) of one-hot pairs (N, 2 prime)."""
        first = torch.cat([self.W_E_a, self.W_E_b])
        hidden = (one_hot.to(first.dtype) @ first)[:, None]
        for block in self.blocks:
            hidden = block(hidden)
        return hidden @ self.W_U + self.b_U


@final
class _Mlp(nn.Module):
    def __init__(self, shapes: Mapping[str, Sequence[int]], name: str) -> None:
        super().__init__()
        weight = shapes.get(f"{name}.W_in")
        self.W_in = None if weight is None else nn.Parameter(torch.zeros(*weight))
        self.b_in = nn.Parameter(torch.zeros(*shapes[f"{name}.b_in"]))
        self.hook_pre, self.hook_post = HookPoint(), HookPoint()

    def forward(self, hidden: Tensor) -> Tensor:
        pre = (hidden if self.W_in is None else hidden @ self.W_in) + self.b_in
        return self.hook_post(gelu(self.hook_pre(pre)))


@final
class _Block(nn.Module):
    def __init__(self, shapes: Mapping[str, Sequence[int]], layer: int) -> None:
        super().__init__()
        self.mlp = _Mlp(shapes, f"blocks.{layer}.mlp")

    def forward(self, hidden: Tensor) -> Tensor:
        return self.mlp(hidden)
