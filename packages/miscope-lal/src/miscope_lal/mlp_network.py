"""The multilayer perceptron: its roles and first weights, the hooked network, and the same without hooks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import gelu

from miscope.model import LOGITS, HookedModel, Role, Shortcut
from miscope.shortcut_model import ShortcutModel
from miscope_lal.linear import torch_linear

__all__ = ["build_model", "initial_weights", "logits", "roles"]

Weights = Mapping[str, Tensor]


def roles(prime: int, width: int, layers: int) -> tuple[Role, ...]:
    """Every weight. The first layer is two, one for each operand: 'W_E.a' and 'W_E.b'."""
    found = [
        Role(name="W_E.a", axes=("a", "d_mlp"), shape=(prime, width)),
        Role(name="W_E.b", axes=("b", "d_mlp"), shape=(prime, width)),
        Role(name="blocks.0.mlp.b_in", axes=("d_mlp",), shape=(width,)),
    ]
    for layer in range(1, layers):
        found += [
            Role(name=f"blocks.{layer}.mlp.W_in", axes=("d_in", "d_mlp"), shape=(width, width)),
            Role(name=f"blocks.{layer}.mlp.b_in", axes=("d_mlp",), shape=(width,)),
        ]
    found += [
        Role(name="W_U", axes=("d_mlp", "vocab_out"), shape=(width, prime)),
        Role(name="b_U", axes=("vocab_out",), shape=(prime,)),
    ]
    return tuple(found)


def initial_weights(prime: int, width: int, layers: int, seed: int) -> dict[str, Tensor]:
    """As PyTorch begins, layer by layer: `nn.Linear(2 prime, width)`, ..., `nn.Linear(width, prime)`."""
    generator = torch.Generator().manual_seed(seed)
    first, bias = torch_linear(generator, 2 * prime, width)
    weights = {"W_E.a": first[:prime].contiguous(), "W_E.b": first[prime:].contiguous(), "blocks.0.mlp.b_in": bias}
    for layer in range(1, layers):
        block = f"blocks.{layer}.mlp"
        weights[f"{block}.W_in"], weights[f"{block}.b_in"] = torch_linear(generator, width, width)
    weights["W_U"], weights["b_U"] = torch_linear(generator, width, prime)
    return weights


def build_model(prime: int, width: int, layers: int) -> ShortcutModel:
    """Inputs (N, 2 prime) one-hot; activations (N, 1, width) of each layer before and after GELU."""
    sites = [f"blocks.{layer}.mlp.hook_{name}" for layer in range(layers) for name in ("pre", "post")]
    every = roles(prime, width, layers)

    def build() -> HookedModel:
        from miscope_lal.perceptron import Perceptron

        module = Perceptron({role.name: role.shape for role in every}, layers)
        points = dict(module.named_modules())
        return HookedModel(
            module,
            roles=every,
            sites={name: points[name] for name in sites},
            place=lambda weights: {parameter_name(name): tensor for name, tensor in weights.items()},
        )

    known = {LOGITS, *sites}
    shortcut = Shortcut(sites=frozenset(known), run=_activations)
    return ShortcutModel(build, roles=every, sites=known, shortcut=shortcut)


def parameter_name(role: str) -> str:
    """'blocks.0.mlp.b_in' as it is; 'W_E.a' as 'W_E_a', since the name of a parameter holds no dot."""
    return role if role.startswith("blocks") else role.replace(".", "_")


def logits(weights: Weights, inputs: Tensor) -> Tensor:
    """Logits (N, prime) of one-hot pairs (N, 2 prime), without the hooks."""
    return _activations(weights, inputs, (LOGITS,), None)[LOGITS]


def _activations(
    weights: Weights, inputs: Tensor, sites: Collection[str], channels: Sequence[int] | None
) -> dict[str, Tensor]:
    pick = slice(None) if channels is None else list(channels)
    found: dict[str, Tensor] = {}
    first = torch.cat([weights["W_E.a"], weights["W_E.b"]])
    pre = torch.addmm(weights["blocks.0.mlp.b_in"], inputs.to(first.dtype), first)
    layers = 1 + sum(name.endswith("W_in") for name in weights)
    for layer in range(layers):
        if layer:
            block = f"blocks.{layer}.mlp"
            pre = torch.addmm(weights[f"{block}.b_in"], found["last"], weights[f"{block}.W_in"])
        found["last"] = gelu(pre)
        for name, activation in (("pre", pre), ("post", found["last"])):
            if (site := f"blocks.{layer}.mlp.hook_{name}") in sites:
                found[site] = activation[:, pick]
    if LOGITS in sites:
        found[LOGITS] = torch.addmm(weights["b_U"], found["last"], weights["W_U"])
    return {name: found[name] for name in sites}
