"""The perceptron as a HookedRootModule. Imported when one is built: TransformerLens takes seconds to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import torch
from torch import Tensor, nn
from transformer_lens import HookedRootModule
from transformer_lens.hook_points import HookPoint

__all__ = ["Perceptron"]

Shapes = Mapping[str, Sequence[int]]


@final
class Perceptron(HookedRootModule):
    """Sum of two embeddings, a linear layer where there is a W_in, ReLU, and a linear layer to the logits."""

    def __init__(self, shapes: Shapes) -> None:
        """shapes: of 'embed.W_E_a', 'embed.W_E_b', 'blocks.0.mlp.W_in' (optional) and 'blocks.0.mlp.W_out'."""
        super().__init__()
        self.embed, self.hook_embed = _Embed(_under("embed.", shapes)), HookPoint()
        self.blocks = nn.ModuleList([_Block(_under("blocks.0.mlp.", shapes))])
        self.setup()

    def forward(self, pairs: Tensor) -> Tensor:
        """Logits (N, 1, prime) of pairs (N, 2)."""
        return self.blocks[0](self.hook_embed(self.embed(pairs)))


@final
class _Embed(nn.Module):
    def __init__(self, shapes: Shapes) -> None:
        super().__init__()
        self.W_E_a, self.W_E_b = (nn.Parameter(torch.zeros(*shapes[name])) for name in ("W_E_a", "W_E_b"))

    def forward(self, pairs: Tensor) -> Tensor:
        return (self.W_E_a[pairs[:, 0]] + self.W_E_b[pairs[:, 1]])[:, None]


@final
class _Mlp(nn.Module):
    def __init__(self, shapes: Shapes) -> None:
        super().__init__()
        self.W_in = nn.Parameter(torch.zeros(*shapes["W_in"])) if "W_in" in shapes else None
        self.W_out = nn.Parameter(torch.zeros(*shapes["W_out"]))
        self.hook_pre, self.hook_post = HookPoint(), HookPoint()

    def forward(self, embed: Tensor) -> Tensor:
        pre = self.hook_pre(embed if self.W_in is None else embed @ self.W_in)
        return self.hook_post(torch.relu(pre)) @ self.W_out


@final
class _Block(nn.Module):
    def __init__(self, shapes: Shapes) -> None:
        super().__init__()
        self.mlp = _Mlp(shapes)

    def forward(self, embed: Tensor) -> Tensor:
        return self.mlp(embed)


def _under(prefix: str, shapes: Shapes) -> Shapes:
    return {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}
