"""Attention-only transformers: weights by role, the TransformerLens bridge, and the same numbers in few lines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor

from miscope.model import HookedModel, Role

__all__ = ["Architecture", "adopt_roles", "build_model", "initial_weights", "logits"]

Weights = Mapping[str, Tensor]

_AT_ONCE = 64
"""Sequences in one pass: their activations stay in the cache, three times as fast as all at once."""


@final
@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Sizes of an attention-only transformer: learned positions, no biases but LayerNorm's."""

    vocabulary: int
    context: int
    d_model: int
    heads: int = 4
    layers: int = 2
    layer_norm: bool = True
    """Before every layer and before the unembedding, each with a trained weight and bias."""

    @property
    def d_head(self) -> int:
        return self.d_model // self.heads

    @property
    def roles(self) -> tuple[Role, ...]:
        """Every weight, in TransformerLens orientation and the order of the forward pass."""
        d, h, k = self.d_model, self.heads, self.d_head
        inward, outward = ("head", "d_model", "d_head"), ("head", "d_head", "d_model")
        roles = [_role("W_E", ("token", "d_model"), (self.vocabulary, d))]
        roles.append(_role("W_pos", ("position", "d_model"), (self.context, d)))
        for layer in range(self.layers):
            roles += self._norm(f"blocks.{layer}.ln1")
            roles += [_role(f"blocks.{layer}.attn.W_{letter}", inward, (h, d, k)) for letter in "QKV"]
            roles.append(_role(f"blocks.{layer}.attn.W_O", outward, (h, k, d)))
        roles += self._norm("ln_final")
        return (*roles, _role("W_U", ("d_model", "vocab_out"), (d, self.vocabulary)))

    @property
    def sites(self) -> tuple[str, ...]:
        """Named as in TransformerLens; both its version 3 and 4 have them."""
        of_block = ("hook_resid_pre", "attn.hook_q", "attn.hook_k", "attn.hook_v", "attn.hook_attn_scores")
        of_block += ("attn.hook_pattern", "attn.hook_z", "hook_attn_out", "hook_resid_post")
        names = [f"blocks.{layer}.{site}" for layer in range(self.layers) for site in of_block]
        norms = [f"blocks.{layer}.ln1.hook_scale" for layer in range(self.layers)] + ["ln_final.hook_scale"]
        return ("hook_embed", "hook_pos_embed", *names, *(norms if self.layer_norm else ()))

    def _norm(self, name: str) -> list[Role]:
        return [_role(f"{name}.{part}", ("d_model",), (self.d_model,)) for part in "wb"] if self.layer_norm else []


def _role(name: str, axes: tuple[str, ...], shape: tuple[int, ...]) -> Role:
    return Role(name=name, axes=axes, shape=shape)


def initial_weights(architecture: Architecture, seed: int) -> dict[str, Tensor]:
    """Drawn in the order of the roles from N(0, 0.64 / d_model), W_O smaller by sqrt(2 layers); LayerNorms do nothing.

    The scheme of TransformerLens' native models ('gpt2'), after Radford et al. 2019, section 2.3.
    """
    generator = torch.Generator().manual_seed(seed)
    scale = 0.8 / math.sqrt(architecture.d_model)
    weights = {}
    for role in architecture.roles:
        if role.name.endswith((".w", ".b")):
            weights[role.name] = torch.full(role.shape, float(role.name.endswith(".w")))
        else:
            outward = 1 / math.sqrt(2 * architecture.layers) if role.name.endswith("W_O") else 1.0
            weights[role.name] = scale * outward * torch.randn(role.shape, generator=generator)
    return weights


def adopt_roles(architecture: Architecture, state: Weights) -> dict[str, Tensor] | None:
    """The tensors that already carry the architecture's role names and shapes; None if one is missing or another."""
    shapes = {role.name: role.shape for role in architecture.roles}
    fits = all(name in state and tuple(state[name].shape) == shape for name, shape in shapes.items())
    return {name: state[name] for name in shapes} if fits else None


def logits(architecture: Architecture, weights: Weights, tokens: Tensor) -> Tensor:
    """(weights, tokens (n, position)) -> logits (n, position, vocabulary): the bridge's numbers, without its hooks."""
    return torch.cat([_forward(architecture, weights, part) for part in tokens.split(_AT_ONCE)])


def _forward(architecture: Architecture, weights: Weights, tokens: Tensor) -> Tensor:
    residual = weights["W_E"][tokens] + weights["W_pos"][: tokens.shape[1]]
    for layer in range(architecture.layers):
        block = f"blocks.{layer}"
        stream = _normalised(architecture, weights, f"{block}.ln1", residual)[:, None]
        query, key, value = (stream @ weights[f"{block}.attn.W_{letter}"] for letter in "QKV")
        z = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        flat = z.transpose(1, 2).flatten(2)
        residual = residual + flat @ weights[f"{block}.attn.W_O"].flatten(0, 1)
    return _normalised(architecture, weights, "ln_final", residual) @ weights["W_U"]


def _normalised(architecture: Architecture, weights: Weights, name: str, residual: Tensor) -> Tensor:
    if not architecture.layer_norm:
        return residual
    return F.layer_norm(residual, residual.shape[-1:], weights[f"{name}.w"], weights[f"{name}.b"], eps=1e-5)


def build_model(architecture: Architecture) -> HookedModel:
    """The transformer as a TransformerLens bridge."""
    bridge = _bridge(architecture)
    plain = {name.replace("_original_component.", ""): name for name, _ in bridge.named_parameters()}
    masks = {name: buffer for name, buffer in bridge.named_buffers() if not buffer.is_floating_point()}
    # The bridge carries biases the family has not: TransformerLens 3 and 4 differ in which, and in whether they train.
    both = {**dict(bridge.named_parameters()), **dict(bridge.named_buffers())}
    biases = {name: tuple(tensor.shape) for name, tensor in both.items() if name.endswith("bias")}

    def place(weights: Weights) -> dict[str, Tensor]:
        like = weights["W_E"]
        placed = {name: like.new_zeros(shape) for name, shape in biases.items()}
        placed |= {name: mask.to(like.device) for name, mask in masks.items()}
        return placed | {plain[_parameter(role)]: _as_linear(role, tensor) for role, tensor in weights.items()}

    hooks = bridge.hook_dict
    sites = {name: hooks[name] for name in architecture.sites}
    return HookedModel(bridge, roles=architecture.roles, sites=sites, place=place)


def _bridge(architecture: Architecture) -> Any:
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge

    config = TransformerBridgeConfig(
        architecture="TransformerLensNative",
        n_layers=architecture.layers,
        n_heads=architecture.heads,
        d_model=architecture.d_model,
        d_head=architecture.d_head,
        d_mlp=1,
        attn_only=True,
        act_fn="relu",
        normalization_type="LN" if architecture.layer_norm else None,
        eps=1e-5,
        n_ctx=architecture.context,
        d_vocab=architecture.vocabulary,
        d_vocab_out=architecture.vocabulary,
        device="cpu",
        seed=0,
    )
    with torch.random.fork_rng(devices=[]):
        return TransformerBridge.boot_native(config)  # pyright: ignore[reportAttributeAccessIssue] - attached at import


_PARTS = {"W_E": "tok_embed.weight", "W_pos": "pos.weight", "W_U": "head.weight"}
_SUFFIXES = {"w": "weight", "b": "bias", **{f"W_{letter.upper()}": f"{letter}.weight" for letter in "qkvo"}}


def _parameter(role: str) -> str:
    """The bridge's own name for a role, without its wrappers."""
    if role in _PARTS:
        return _PARTS[role]
    path, _, last = role.rpartition(".")
    return f"{path.replace('blocks', 'layers').replace('ln_final', 'ln_out')}.{_SUFFIXES[last]}"


def _as_linear(role: str, tensor: Tensor) -> Tensor:
    """The tensor as the bridge's linear layers have it, (out, in)."""
    if role.endswith(("W_Q", "W_K", "W_V")):
        return tensor.transpose(1, 2).flatten(0, 1)
    if role.endswith("W_O"):
        return tensor.flatten(0, 1).T
    return tensor.T if role == "W_U" else tensor
