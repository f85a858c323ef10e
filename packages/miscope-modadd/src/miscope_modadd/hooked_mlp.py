"""Multilayer perceptrons on (a, b), with the site names of a transformer of one position."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor, nn

from miscope.model import LOGITS, HookedModel, Role, Shortcut
from miscope.shortcut_model import ShortcutModel

__all__ = ["build_model", "logits", "torch_linear"]

PRE, POST = "blocks.0.mlp.hook_pre", "blocks.0.mlp.hook_post"
W_IN, W_OUT = "blocks.0.mlp.W_in", "blocks.0.mlp.W_out"
EMBED = "hook_embed"

Weights = Mapping[str, Tensor]


def build_model(roles: Sequence[Role]) -> ShortcutModel:
    """One hidden ReLU layer on the sum of two embeddings; with W_in among the roles, a layer between them.

    Inputs (N, 2) int64; activations (N, 1, channels), logits (N, 1, prime). Without W_in the embeddings are the input
    layer itself: a linear map of two one-hot vectors.
    """
    embedded = any(role.name == W_IN for role in roles)
    sites = {PRE, POST, *([EMBED] if embedded else [])}

    def build() -> HookedModel:
        from miscope_modadd.perceptron import Perceptron

        module = Perceptron({parameter_name(role.name): role.shape for role in roles})
        points = dict(module.named_modules())
        return HookedModel(
            module,
            roles=roles,
            sites={name: points[name] for name in sites},
            place=lambda weights: {parameter_name(name): tensor for name, tensor in weights.items()},
        )

    return ShortcutModel(
        build,
        roles=roles,
        sites={LOGITS, *sites},
        shortcut=Shortcut(sites=frozenset({LOGITS, *sites}), run=_activations),
    )


def logits(weights: Weights, inputs: Tensor) -> Tensor:
    """Logits (N, prime) of pairs (N, 2), without the hooks."""
    return torch.relu(_pre(weights, inputs, slice(None))) @ weights[W_OUT]


def torch_linear(generator: torch.Generator, outputs: int, inputs: int) -> Tensor:
    """The weight (outputs, inputs) with which `nn.Linear` begins: uniform in ± 1 / sqrt(inputs)."""
    weight = torch.empty(outputs, inputs)
    return nn.init.kaiming_uniform_(weight, a=5**0.5, generator=generator)


def _embed(weights: Weights, inputs: Tensor) -> Tensor:
    return weights["W_E.a"][inputs[:, 0]] + weights["W_E.b"][inputs[:, 1]]


def _pre(weights: Weights, inputs: Tensor, pick: slice | list[int]) -> Tensor:
    if W_IN in weights:
        return _embed(weights, inputs) @ weights[W_IN][:, pick]
    return weights["W_E.a"][:, pick][inputs[:, 0]] + weights["W_E.b"][:, pick][inputs[:, 1]]


def _activations(
    weights: Weights, inputs: Tensor, sites: Collection[str], channels: Sequence[int] | None
) -> dict[str, Tensor]:
    pick = slice(None) if channels is None else list(channels)
    activations: dict[str, Tensor] = {}
    if {PRE, POST} & set(sites):
        activations[PRE] = _pre(weights, inputs, pick)
        activations[POST] = torch.relu(activations[PRE])
    if EMBED in sites:
        activations[EMBED] = _embed(weights, inputs)[:, pick]
    if LOGITS in sites:
        activations[LOGITS] = (
            activations[POST] @ weights[W_OUT] if POST in activations and channels is None else logits(weights, inputs)
        )
    return {name: activations[name] for name in sites}


def parameter_name(role: str) -> str:
    """'blocks.0.mlp.W_in' as it is; 'W_E.a' as 'embed.W_E_a', since the name of a parameter holds no dot."""
    return role if role.startswith("blocks") else f"embed.{role.replace('.', '_')}"
