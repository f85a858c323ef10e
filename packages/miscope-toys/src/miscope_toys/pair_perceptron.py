"""One hidden layer over two tokens, each embedded by a table of its own: no attention, no residual stream."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from miscope.model import HookedModel, Role

__all__ = ["build_model", "initial_weights", "logits"]

SIDES = ("left", "right")


def roles(values: int, width: int, neurons: int) -> tuple[Role, ...]:
    """A table and what reads it for each side, and what is written to the answers; (in, out), no biases."""
    tables = [Role(name=f"W_E.{side}", axes=(side, f"d_{side}"), shape=(values, width)) for side in SIDES]
    readers = [
        Role(name=f"blocks.0.mlp.W_in.{side}", axes=(f"d_{side}", "d_mlp"), shape=(width, neurons)) for side in SIDES
    ]
    out = Role(name="blocks.0.mlp.W_out", axes=("d_mlp", "vocab_out"), shape=(neurons, values))
    return (*tables, *readers, out)


def build_model(values: int, width: int, neurons: int) -> HookedModel:
    """The network on pairs of tokens (n, 2); its activations have one position, both embeddings one after the other."""
    net = _PairPerceptron(values, width, neurons)
    return HookedModel(
        net,
        roles=roles(values, width, neurons),
        sites={
            "hook_embed": net.hook_embed,
            "blocks.0.mlp.hook_pre": net.hook_pre,
            "blocks.0.mlp.hook_post": net.hook_post,
        },
        place=_placed,
    )


def initial_weights(values: int, width: int, neurons: int, seed: int) -> dict[str, Tensor]:
    """In the order of the roles: tables from N(0, 1 / width), other weights from N(0, 1 / inputs of their layer)."""
    generator = torch.Generator().manual_seed(seed)
    scales = {"E": width, "in": 2 * width, "out": neurons}
    return {
        role.name: torch.randn(role.shape, generator=generator) / math.sqrt(scales[_kind(role.name)])
        for role in roles(values, width, neurons)
    }


def logits(weights: Mapping[str, Tensor], pairs: Tensor) -> Tensor:
    """(weights, pairs (n, 2)) -> logits (n, values): the hooked network's numbers, without its hooks."""
    read = [weights[f"W_E.{side}"] @ weights[f"blocks.0.mlp.W_in.{side}"] for side in SIDES]
    return (read[0][pairs[:, 0]] + read[1][pairs[:, 1]]).relu() @ weights["blocks.0.mlp.W_out"]


def _kind(role: str) -> str:
    """'E', 'in' or 'out'."""
    return role.partition("W_")[2].partition(".")[0]


def _placed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    tables = {f"W_E_{side}": weights[f"W_E.{side}"] for side in SIDES}
    reader = torch.cat([weights[f"blocks.0.mlp.W_in.{side}"] for side in SIDES])
    return {**tables, "W_in": reader, "W_out": weights["blocks.0.mlp.W_out"]}


class _PairPerceptron(nn.Module):
    def __init__(self, values: int, width: int, neurons: int) -> None:
        super().__init__()
        self.W_E_left, self.W_E_right = (nn.Parameter(torch.zeros(values, width)) for _ in SIDES)
        self.W_in = nn.Parameter(torch.zeros(2 * width, neurons))
        self.W_out = nn.Parameter(torch.zeros(neurons, values))
        self.hook_embed, self.hook_pre, self.hook_post = nn.Identity(), nn.Identity(), nn.Identity()

    def forward(self, pairs: Tensor) -> Tensor:
        both = torch.cat([self.W_E_left[pairs[:, 0]], self.W_E_right[pairs[:, 1]]], dim=-1)
        pre = self.hook_pre(self.hook_embed(both[:, None]) @ self.W_in)
        return self.hook_post(pre.relu()) @ self.W_out
