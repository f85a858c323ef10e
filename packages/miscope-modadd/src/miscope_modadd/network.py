"""The one-layer transformer of the modular-addition papers, as a TransformerLens bridge with exact shortcuts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import final

import torch
from torch import Tensor

from miscope.model import LOGITS, HookedModel, Model, Role, Shortcut
from miscope.shortcut_model import ShortcutModel
from miscope_modadd import open_pass, tables

__all__ = ["Architecture", "build_model", "module_layout", "table_logits", "unfolded_logits"]

_BLOCK = (
    *(f"hook_{name}" for name in ("resid_pre", "attn_out", "resid_mid", "mlp_out", "resid_post")),
    *(f"attn.hook_{name}" for name in ("q", "k", "v", "attn_scores", "pattern", "z")),
    *(f"mlp.hook_{name}" for name in ("pre", "post")),
)
SITES = ("hook_embed", "hook_pos_embed", *(f"blocks.0.{name}" for name in _BLOCK))
"""Named as in TransformerLens; both its version 3 and 4 have them."""


@final
@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Sizes of the transformer of Nanda et al. 2023: one layer, ReLU, no normalisation."""

    prime: int
    vocabulary_out: int
    mlp_biases: bool = False
    d_model: int = 128
    heads: int = 4
    d_mlp: int = 512

    @property
    def d_head(self) -> int:
        return self.d_model // self.heads

    @property
    def roles(self) -> tuple[Role, ...]:
        """Every weight, in TransformerLens orientation; the last row of W_E is '='."""
        d, h, k, m = self.d_model, self.heads, self.d_head, self.d_mlp
        attention = ("head", "d_model", "d_head")
        axes: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
            "W_E": (("token", "d_model"), (self.prime + 1, d)),
            "W_pos": (("position", "d_model"), (3, d)),
            "blocks.0.attn.W_Q": (attention, (h, d, k)),
            "blocks.0.attn.W_K": (attention, (h, d, k)),
            "blocks.0.attn.W_V": (attention, (h, d, k)),
            "blocks.0.attn.W_O": (("head", "d_head", "d_model"), (h, k, d)),
            "blocks.0.mlp.W_in": (("d_model", "d_mlp"), (d, m)),
            "blocks.0.mlp.W_out": (("d_mlp", "d_model"), (m, d)),
            "W_U": (("d_model", "vocab_out"), (d, self.vocabulary_out)),
        }
        if self.mlp_biases:
            axes |= {"blocks.0.mlp.b_in": (("d_mlp",), (m,)), "blocks.0.mlp.b_out": (("d_model",), (d,))}
        return tuple(Role(name=name, axes=names, shape=shape) for name, (names, shape) in axes.items())


def build_model(architecture: Architecture) -> ShortcutModel:
    """The transformer; sites at the answer position come from exact tables where the inputs are [a, b, =]."""
    accepts = partial(tables.answerable, prime=architecture.prime)
    return ShortcutModel(
        partial(_bridge, architecture),
        roles=architecture.roles,
        sites={LOGITS, *SITES},
        shortcut=Shortcut(sites=tables.SITES, run=tables.activations, accepts=accepts),
        open_pass=open_pass.run,
    )


def table_logits(model: Model, prime: int, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """Answer-position logits by the tables, or by the model where the inputs are not [a, b, =]."""
    if tables.answerable(inputs, prime):
        return tables.logits(weights, inputs)
    return model.answers(weights, inputs, [LOGITS])[LOGITS]


def unfolded_logits(model: Model, prime: int, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """As `table_logits`, but rounded like the network itself where a gradient is wanted."""
    if torch.is_grad_enabled() and tables.answerable(inputs, prime):
        return tables.unfolded_logits(weights, inputs)
    return table_logits(model, prime, weights, inputs)


def module_layout(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Role tensors as the bridge's own linear layers have them, (out, in), by name without its wrappers."""
    attention, mlp = "blocks.0.attn.W_", "blocks.0.mlp."
    names = {
        "W_E": "tok_embed.weight",
        "W_pos": "pos.weight",
        **{f"{attention}{letter.upper()}": f"layers.0.attn.{letter}.weight" for letter in "qkvo"},
        f"{mlp}W_in": "layers.0.mlp.fc_in.weight",
        f"{mlp}b_in": "layers.0.mlp.fc_in.bias",
        f"{mlp}W_out": "layers.0.mlp.fc_out.weight",
        f"{mlp}b_out": "layers.0.mlp.fc_out.bias",
        "W_U": "head.weight",
    }
    return {names[role]: _as_linear(role, tensor) for role, tensor in weights.items()}


def _as_linear(role: str, tensor: Tensor) -> Tensor:
    if role.endswith(("W_Q", "W_K", "W_V")):
        return tensor.transpose(1, 2).flatten(0, 1)
    if role.endswith("W_O"):
        return tensor.flatten(0, 1).T
    return tensor.T if role.endswith(("W_in", "W_out", "W_U")) else tensor


def _bridge(architecture: Architecture) -> HookedModel:
    from transformer_lens.config import TransformerBridgeConfig
    from transformer_lens.model_bridge import TransformerBridge

    config = TransformerBridgeConfig(
        architecture="TransformerLensNative",
        n_layers=1,
        n_heads=architecture.heads,
        d_model=architecture.d_model,
        d_head=architecture.d_head,
        d_mlp=architecture.d_mlp,
        act_fn="relu",
        normalization_type=None,
        n_ctx=3,
        d_vocab=architecture.prime + 1,
        d_vocab_out=architecture.vocabulary_out,
        device="cpu",
        seed=0,
    )
    with torch.random.fork_rng(devices=[]):
        bridge = TransformerBridge.boot_native(config)  # pyright: ignore[reportAttributeAccessIssue]
    plain = {name.replace("_original_component.", ""): name for name, _ in bridge.named_parameters()}
    # The bridge's layers carry biases the family has not, and which ones differs between TransformerLens 3 and 4.
    tensors = dict((*bridge.named_buffers(), *bridge.named_parameters()))
    biases = {name: tensor.shape for name, tensor in tensors.items() if name.endswith("bias")}
    masks = {name: tensor for name, tensor in tensors.items() if tensor.dtype is torch.bool}

    def place(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        like = weights["W_E"]
        placed = {name: like.new_zeros(shape) for name, shape in biases.items()}
        placed |= {name: mask.to(like.device) for name, mask in masks.items()}
        return placed | {plain[name]: tensor for name, tensor in module_layout(weights).items()}

    hooks = bridge.hook_dict
    sites = {name: hooks[name] for name in SITES}
    return HookedModel(bridge, roles=architecture.roles, sites=sites, place=place)
