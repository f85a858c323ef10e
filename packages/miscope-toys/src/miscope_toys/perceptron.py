"""One hidden layer over bits: no tokens, no embedding, no attention."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from miscope.model import HookedModel, Role

__all__ = ["build_model", "initial_weights", "logits"]

ANSWERS = 2


def roles(bits: int, width: int) -> tuple[Role, ...]:
    """Weights and biases of both layers, (in, out)."""
    return (
        Role(name="blocks.0.mlp.W_in", axes=("bit", "d_mlp"), shape=(bits, width)),
        Role(name="blocks.0.mlp.b_in", axes=("d_mlp",), shape=(width,)),
        Role(name="W_U", axes=("d_mlp", "vocab_out"), shape=(width, ANSWERS)),
        Role(name="b_U", axes=("vocab_out",), shape=(ANSWERS,)),
    )


def build_model(bits: int, width: int) -> HookedModel:
    """The network on bits (n, bits) of 0 and 1; its activations have one position."""
    net = _Perceptron(bits, width)
    place = {"blocks.0.mlp.W_in": "W_in", "blocks.0.mlp.b_in": "b_in", "W_U": "W_U", "b_U": "b_U"}
    return HookedModel(
        net,
        roles=roles(bits, width),
        sites={"blocks.0.mlp.hook_pre": net.hook_pre, "blocks.0.mlp.hook_post": net.hook_post},
        place=lambda weights: {place[name]: tensor for name, tensor in weights.items()},
    )


def initial_weights(bits: int, width: int, seed: int) -> dict[str, Tensor]:
    """Every weight from N(0, 1 / inputs of its layer), W_in first; biases zero."""
    generator = torch.Generator().manual_seed(seed)
    return {
        role.name: torch.randn(role.shape, generator=generator) / math.sqrt(role.shape[0])
        if len(role.shape) == 2
        else torch.zeros(role.shape)
        for role in roles(bits, width)
    }


def logits(weights: Mapping[str, Tensor], bits: Tensor) -> Tensor:
    """(weights, bits (n, bits)) -> logits (n, 2): the hooked network's numbers, without its hooks."""
    signs = _signs(bits, weights["W_U"])
    hidden = torch.addmm(weights["blocks.0.mlp.b_in"], signs, weights["blocks.0.mlp.W_in"]).relu()
    return torch.addmm(weights["b_U"], hidden, weights["W_U"])


def _signs(bits: Tensor, like: Tensor) -> Tensor:
    """0 as +1 and 1 as -1, so that a parity is a product."""
    return 1 - 2 * bits.to(like.dtype)


class _Perceptron(nn.Module):
    def __init__(self, bits: int, width: int) -> None:
        super().__init__()
        self.W_in = nn.Parameter(torch.zeros(bits, width))
        self.b_in = nn.Parameter(torch.zeros(width))
        self.W_U = nn.Parameter(torch.zeros(width, ANSWERS))
        self.b_U = nn.Parameter(torch.zeros(ANSWERS))
        self.hook_pre, self.hook_post = nn.Identity(), nn.Identity()

    def forward(self, bits: Tensor) -> Tensor:
        pre = self.hook_pre(_signs(bits, self.W_in)[:, None] @ self.W_in + self.b_in)
        return self.hook_post(pre.relu()) @ self.W_U + self.b_U
