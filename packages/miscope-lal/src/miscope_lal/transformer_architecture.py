"""The transformer that reads [a, operation, b, =]: its sizes, its weights by role, and how they begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from miscope.model import Role

__all__ = ["Architecture", "initial_weights"]

_POSITIONS = 5
"""Rows of the position embedding: an input has four tokens and leaves the last alone."""

_SCALE = 0.02
"""Standard deviation of the first embeddings and matrices, that of Radford et al. 2019 (GPT-2)."""

_GATE_GAIN = 0.1
"""Of a gate's last matrix, after Xavier: all heads begin nearly alike."""

_OF_BLOCK = (
    *("hook_resid_pre", "ln1.hook_normalized"),
    *(f"attn.hook_{name}" for name in ("q", "k", "v", "attn_scores", "pattern", "z")),
    *("hook_attn_out", "hook_resid_mid", "ln2.hook_normalized"),
    *("mlp.hook_pre", "mlp.hook_post", "hook_mlp_out", "hook_resid_post"),
)
_ROUTING = ("routing.hook_state", "routing.hook_weights")


@final
@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Sizes of a causal transformer with LayerNorm before each part, an MLP of four times its width, and GELU.

    With `ffn_heads` each block has that many MLPs, side by side along d_mlp, which a gate blends at every position:
    their activations are multiplied by the gate's weights before W_out. A gate reads the stream and a routing state,
    which begins as a linear function of the mean embedding so far and after each block is one of itself and the stream.
    """

    prime: int
    operations: int = 1
    """Tokens that name an operation, after those of the numbers; '=' is the last of all."""
    d_model: int = 128
    heads: int = 4
    """They share d_model, so they divide it."""
    layers: int = 2
    tied: bool = False
    """Whether logits are products with the embeddings of the numbers; otherwise they have a matrix and biases."""
    ffn_heads: int | None = None
    """MLPs of a block that are blended; None: one MLP, and nothing is routed."""

    @property
    def equals(self) -> int:
        """The token '='."""
        return self.prime + self.operations

    @property
    def roles(self) -> tuple[Role, ...]:
        """Every weight, in TransformerLens orientation and the order of the forward pass."""
        d = self.d_model
        roles = [_role("W_E", ("token", "d_model"), (self.equals + 1, d))]
        roles.append(_role("W_pos", ("position", "d_model"), (_POSITIONS, d)))
        if self.ffn_heads is not None:
            roles.append(_role("routing.W_begin", ("d_model", "d_state"), (d, d)))
            roles.append(_role("routing.b_begin", ("d_state",), (d,)))
        for layer in range(self.layers):
            block = f"blocks.{layer}"
            roles += [*self._norm(f"{block}.ln1"), *self._attention(f"{block}.attn"), *self._norm(f"{block}.ln2")]
            if self.ffn_heads is not None:
                roles += self._routing(f"{block}.routing", self.ffn_heads, last=layer == self.layers - 1)
            roles += self._mlp(f"{block}.mlp")
        roles += self._norm("ln_final")
        if not self.tied:
            roles.append(_role("W_U", ("d_model", "vocab_out"), (d, self.prime)))
            roles.append(_role("b_U", ("vocab_out",), (self.prime,)))
        return tuple(roles)

    @property
    def sites(self) -> tuple[str, ...]:
        """Named as in TransformerLens, and a block's routing: the state its gate reads, and the gate's weights."""
        parts = _OF_BLOCK if self.ffn_heads is None else (*_OF_BLOCK, *_ROUTING)
        blocks = (f"blocks.{layer}.{site}" for layer in range(self.layers) for site in parts)
        return ("hook_embed", "hook_pos_embed", *blocks, "ln_final.hook_normalized")

    def _norm(self, name: str) -> list[Role]:
        return [_role(f"{name}.{part}", ("d_model",), (self.d_model,)) for part in "wb"]

    def _attention(self, name: str) -> list[Role]:
        d, h, k = self.d_model, self.heads, self.d_model // self.heads
        inward = [_role(f"{name}.W_{letter}", ("head", "d_model", "d_head"), (h, d, k)) for letter in "QKV"]
        return [*inward, _role(f"{name}.W_O", ("head", "d_head", "d_model"), (h, k, d))]

    def _mlp(self, name: str) -> list[Role]:
        d, m = self.d_model, 4 * self.d_model * (self.ffn_heads or 1)
        out = (("d_model",), (d,)) if self.ffn_heads is None else (("ffn_head", "d_model"), (self.ffn_heads, d))
        return [
            _role(f"{name}.W_in", ("d_model", "d_mlp"), (d, m)),
            _role(f"{name}.b_in", ("d_mlp",), (m,)),
            _role(f"{name}.W_out", ("d_mlp", "d_model"), (m, d)),
            _role(f"{name}.b_out", *out),
        ]

    def _routing(self, name: str, heads: int, *, last: bool) -> list[Role]:
        d = self.d_model
        axes_of = {
            "W_gate_state": ("d_state", "d_gate"),
            "b_gate_state": ("d_gate",),
            "W_gate_resid": ("d_model", "d_gate"),
            "b_gate_resid": ("d_gate",),
            "W_gate": ("d_gate", "ffn_head"),
            "b_gate": ("ffn_head",),
        }
        if not last:  # nothing reads the state that the last block would leave
            axes_of |= {"W_update_state": ("d_state", "d_state"), "W_update_resid": ("d_model", "d_state")}
            axes_of |= {"b_update": ("d_state",)}
        return [
            _role(f"{name}.{part}", axes, tuple(heads if axis == "ffn_head" else d for axis in axes))
            for part, axes in axes_of.items()
        ]


def initial_weights(architecture: Architecture, seed: int) -> dict[str, Tensor]:
    """Embeddings and matrices from N(0, 0.02^2) in the order of the roles, biases 0, LayerNorms that do nothing.

    A gate's last matrix is drawn after Xavier (uniform in +- 0.1 sqrt(6 / (inputs + outputs))).
    """
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for role in architecture.roles:
        kind = role.name.rpartition(".")[2]
        if kind == "W_gate":
            weights[role.name] = nn.init.xavier_uniform_(torch.empty(role.shape), _GATE_GAIN, generator)
        elif kind.startswith("W_"):
            weights[role.name] = _SCALE * torch.randn(role.shape, generator=generator)
        else:
            weights[role.name] = torch.full(role.shape, float(kind == "w"))
    return weights


def _role(name: str, axes: tuple[str, ...], shape: tuple[int, ...]) -> Role:
    return Role(name=name, axes=axes, shape=shape)
