"""The transformer as a HookedRootModule. Imported when one is built: TransformerLens takes seconds to import."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformer_lens import HookedRootModule
from transformer_lens.hook_points import HookPoint

__all__ = ["Transformer"]

Shapes = Mapping[str, Sequence[int]]


@final
class Transformer(HookedRootModule):
    """Tokens (N, position) to logits (N, position, answer); attention is written out, so that all of it has second
    derivatives: PyTorch's fused kernel has none on the CPU.
    """

    W_E: Tensor
    W_pos: Tensor
    W_U: Tensor
    b_U: Tensor

    def __init__(self, shapes: Shapes, *, layers: int, answers: int) -> None:
        """shapes: of every role. Without a 'W_U' the first `answers` embeddings give the logits."""
        super().__init__()
        _register(self, "", shapes)
        self.answers, self.tied = answers, "W_U" not in shapes
        self.hook_embed, self.hook_pos_embed = HookPoint(), HookPoint()
        self.routing = _FirstState(shapes) if "routing.W_begin" in shapes else None
        self.blocks = nn.ModuleList([_Block(f"blocks.{layer}.", shapes) for layer in range(layers)])
        self.ln_final = _Norm("ln_final.", shapes)
        self.setup()

    def forward(self, tokens: Tensor) -> Tensor:
        return self.from_embeddings(self.embeddings(tokens))

    def embeddings(self, tokens: Tensor) -> Tensor:
        """(N, position, d_model) of token and position together."""
        embed = self.hook_embed(F.embedding(tokens, self.W_E))
        return embed + self.hook_pos_embed(self.W_pos[: tokens.shape[1]].expand_as(embed))

    def from_embeddings(self, stream: Tensor) -> Tensor:
        """The logits of what `embeddings` gave."""
        state = None if self.routing is None else self.routing(stream)
        for block in self.blocks:
            stream, state = block(stream, state)
        final = self.ln_final(stream)
        return final @ self.W_E[: self.answers].T if self.tied else final @ self.W_U + self.b_U


@final
class _Block(nn.Module):
    def __init__(self, name: str, shapes: Shapes) -> None:
        super().__init__()
        self.ln1, self.attn = _Norm(f"{name}ln1.", shapes), _Attention(f"{name}attn.", shapes)
        self.ln2, self.mlp = _Norm(f"{name}ln2.", shapes), _Mlp(f"{name}mlp.", shapes)
        self.routing = _Routing(f"{name}routing.", shapes) if f"{name}routing.W_gate" in shapes else None
        self.hook_resid_pre, self.hook_attn_out, self.hook_resid_mid = HookPoint(), HookPoint(), HookPoint()
        self.hook_mlp_out, self.hook_resid_post = HookPoint(), HookPoint()

    def forward(self, stream: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor | None]:
        stream = self.hook_resid_pre(stream)
        mid = self.hook_resid_mid(stream + self.hook_attn_out(self.attn(self.ln1(stream))))
        normal = self.ln2(mid)
        if self.routing is None or state is None:
            return self.hook_resid_post(mid + self.hook_mlp_out(self.mlp(normal, None))), None
        read: Tensor = self.routing.hook_state(state)
        stream = self.hook_resid_post(mid + self.hook_mlp_out(self.mlp(normal, self.routing(read, normal))))
        return stream, self.routing.updated(read, stream)


@final
class _Norm(nn.Module):
    w: Tensor
    b: Tensor

    def __init__(self, name: str, shapes: Shapes) -> None:
        super().__init__()
        _register(self, name, shapes)
        self.hook_normalized = HookPoint()

    def forward(self, stream: Tensor) -> Tensor:
        return self.hook_normalized(F.layer_norm(stream, self.w.shape, self.w, self.b))


@final
class _Attention(nn.Module):
    W_Q: Tensor
    W_K: Tensor
    W_V: Tensor
    W_O: Tensor

    def __init__(self, name: str, shapes: Shapes) -> None:
        super().__init__()
        _register(self, name, shapes)
        self.hook_q, self.hook_k, self.hook_v, self.hook_z = HookPoint(), HookPoint(), HookPoint(), HookPoint()
        self.hook_attn_scores, self.hook_pattern = HookPoint(), HookPoint()

    def forward(self, normal: Tensor) -> Tensor:
        query, key, value = (
            hook(torch.einsum("npd,hdk->nphk", normal, weight))
            for hook, weight in ((self.hook_q, self.W_Q), (self.hook_k, self.W_K), (self.hook_v, self.W_V))
        )
        scores = torch.einsum("nqhk,nmhk->nhqm", query, key) / math.sqrt(query.shape[-1])
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        pattern = self.hook_pattern(self.hook_attn_scores(scores.masked_fill(later, -math.inf)).softmax(-1))
        z = self.hook_z(torch.einsum("nhqm,nmhk->nqhk", pattern, value))
        return z.flatten(2) @ self.W_O.flatten(0, 1)


@final
class _Mlp(nn.Module):
    W_in: Tensor
    b_in: Tensor
    W_out: Tensor
    b_out: Tensor

    def __init__(self, name: str, shapes: Shapes) -> None:
        super().__init__()
        _register(self, name, shapes)
        self.hook_pre, self.hook_post = HookPoint(), HookPoint()

    def forward(self, normal: Tensor, routing: Tensor | None) -> Tensor:
        """routing: (N, position, MLPs) by which the activations of each MLP are multiplied."""
        post = F.gelu(self.hook_pre(normal @ self.W_in + self.b_in))
        if routing is None:
            return self.hook_post(post) @ self.W_out + self.b_out
        post = (post.unflatten(-1, (len(self.b_out), -1)) * routing[..., None]).flatten(-2)
        return self.hook_post(post) @ self.W_out + routing @ self.b_out


@final
class _FirstState(nn.Module):
    W_begin: Tensor
    b_begin: Tensor

    def __init__(self, shapes: Shapes) -> None:
        super().__init__()
        _register(self, "routing.", shapes)

    def forward(self, embeddings: Tensor) -> Tensor:
        """(N, position, d_state) of the mean embedding up to each position, so that no later one is seen."""
        count = torch.arange(1, embeddings.shape[1] + 1, device=embeddings.device)
        return embeddings.cumsum(1) / count[:, None] @ self.W_begin + self.b_begin


@final
class _Routing(nn.Module):
    W_gate_state: Tensor
    b_gate_state: Tensor
    W_gate_resid: Tensor
    b_gate_resid: Tensor
    W_gate: Tensor
    b_gate: Tensor
    W_update_state: Tensor
    W_update_resid: Tensor
    b_update: Tensor

    def __init__(self, name: str, shapes: Shapes) -> None:
        super().__init__()
        _register(self, name, shapes)
        self.last = f"{name}W_update_state" not in shapes
        self.hook_state, self.hook_weights = HookPoint(), HookPoint()

    def forward(self, state: Tensor, normal: Tensor) -> Tensor:
        """(N, position, MLPs), on the simplex."""
        hidden = state @ self.W_gate_state + self.b_gate_state + normal @ self.W_gate_resid + self.b_gate_resid
        return self.hook_weights((F.gelu(hidden) @ self.W_gate + self.b_gate).softmax(-1))

    def updated(self, state: Tensor, stream: Tensor) -> Tensor:
        """The state that the next block's gate reads."""
        return state if self.last else state @ self.W_update_state + stream @ self.W_update_resid + self.b_update


def _register(module: nn.Module, prefix: str, shapes: Shapes) -> None:
    """Give the module a parameter for every role that is called so and no deeper."""
    for role, shape in shapes.items():
        name = role.removeprefix(prefix)
        if role.startswith(prefix) and "." not in name:
            module.register_parameter(name, nn.Parameter(torch.zeros(*shape)))
