"""Exact algebra of the transformer at the answer position.

Only the last position's logits count. So the last block is computed there alone, up to its keys and values; streams at
the first two positions, which few things decide, are computed once each; and the first block's scores come from a
table, for its queries, keys and values depend on one token each. All of it can be differentiated as often as one likes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor

from miscope.model import LOGITS
from miscope_lal.question_rows import Keys, question_rows
from miscope_lal.transformer_architecture import Architecture

__all__ = ["activations", "answerable", "logits", "sites"]

_ROWS = 2048
"""Questions evaluated at a time where no gradient is wanted, so that their activations stay in the cache."""

_OF_BLOCK = (
    *("hook_resid_pre", "attn.hook_pattern", "attn.hook_z", "hook_attn_out", "hook_resid_mid"),
    *("mlp.hook_pre", "mlp.hook_post", "hook_mlp_out", "hook_resid_post"),
)
_ROUTING = ("routing.hook_state", "routing.hook_weights")
_UPDATE = ("W_update_state", "W_update_resid", "b_update")

Weights = Mapping[str, Tensor]


def sites(architecture: Architecture) -> frozenset[str]:
    """What `activations` can give."""
    parts = _OF_BLOCK if architecture.ffn_heads is None else (*_OF_BLOCK, *_ROUTING)
    blocks = (f"blocks.{layer}.{site}" for layer in range(architecture.layers) for site in parts)
    return frozenset((LOGITS, "ln_final.hook_normalized", *blocks))


def answerable(architecture: Architecture, inputs: Tensor) -> bool:
    """Whether every input is [a, operation, b, =]: the form this algebra is for."""
    if inputs.ndim != 2 or inputs.shape[1] != 4 or not len(inputs):
        return False
    lowest, highest = inputs.amin(0).tolist(), inputs.amax(0).tolist()
    prime, equals = architecture.prime, architecture.equals
    return all(
        low <= least and most < high
        for least, most, low, high in zip(
            lowest, highest, (0, prime, 0, equals), (prime, equals, prime, equals + 1), strict=True
        )
    )


def logits(architecture: Architecture, weights: Weights, inputs: Tensor) -> Tensor:
    """Logits (N, prime) of inputs [a, operation, b, =]; equal to the hooked model's up to rounding."""
    return activations(architecture, weights, inputs, (LOGITS,))[LOGITS]


def activations(
    architecture: Architecture,
    weights: Weights,
    inputs: Tensor,
    wanted: Collection[str],
    channels: Sequence[int] | None = None,
) -> dict[str, Tensor]:
    """Answer-position activations, of `sites`, for inputs [a, operation, b, =].

    (N, d_model) or (N, d_mlp); pattern (N, head, key), z (N, head, d_head), routing weights (N, MLPs), logits
    (N, prime). channels: only these entries of the last axis, of sites other than the logits.
    """
    graph = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in weights.values())
    parts = [inputs] if graph else inputs.split(_ROWS)
    found = [_Pass(architecture, weights, wanted).run(part) for part in parts]
    whole = {name: found[0][name] if len(found) == 1 else torch.cat([part[name] for part in found]) for name in wanted}
    if channels is None:
        return whole
    return {name: value if name == LOGITS else value[..., list(channels)] for name, value in whole.items()}


@final
class _Pass:
    """One run of the network over some questions, with what was asked for written down on the way."""

    def __init__(self, architecture: Architecture, weights: Weights, wanted: Collection[str]) -> None:
        self._architecture, self._weights, self._wanted = architecture, weights, wanted
        self._found: dict[str, Tensor] = {}
        self._questions = 0
        self._state: Tensor | None = None

    def run(self, questions: Tensor) -> dict[str, Tensor]:
        weights, architecture = self._weights, self._architecture
        rows, self._questions = question_rows(questions), len(questions)
        table = F.embedding(rows.tokens, weights["W_E"]) + F.embedding(rows.positions, weights["W_pos"])
        if architecture.ffn_heads is not None:
            self._state = self._first_state(table, rows.in_first)
        for layer in range(architecture.layers):
            keys = rows.in_later if layer else rows.in_first
            last = layer == architecture.layers - 1
            table = self._block(layer, table, keys[-1:] if last else keys)
        final = self._see("ln_final.hook_normalized", self._normal("ln_final", table))
        if architecture.tied:
            self._see(LOGITS, final @ weights["W_E"][: architecture.prime].T)
        else:
            self._see(LOGITS, torch.addmm(weights["b_U"], final, weights["W_U"]))
        return self._found

    def _see(self, site: str, value: Tensor) -> Tensor:
        """Write down the answers' rows, which are the last, if they are wanted."""
        if site in self._wanted:
            self._found[site] = value[-self._questions :]
        return value

    def _normal(self, name: str, stream: Tensor) -> Tensor:
        gain, bias = self._weights[f"{name}.w"], self._weights[f"{name}.b"]
        return F.layer_norm(stream, gain.shape, gain, bias)

    def _block(self, layer: int, table: Tensor, keys: Keys) -> Tensor:
        """From a table of streams to the streams that attend to it."""
        block = f"blocks.{layer}"
        own = torch.cat([each[:, -1] for each in keys])
        # The streams of a later table are in the order in which they attend.
        stream = table[-len(own) :] if layer else F.embedding(own, table)
        self._see(f"{block}.hook_resid_pre", stream)
        normal = self._normal(f"{block}.ln1", table)
        z = self._from_rows(block, normal, keys) if layer else self._from_table(block, normal, keys)
        W_O = self._weights[f"{block}.attn.W_O"].flatten(0, 1)
        mid = self._see(f"{block}.hook_resid_mid", stream + self._see(f"{block}.hook_attn_out", z @ W_O))
        stream = self._see(f"{block}.hook_resid_post", mid + self._see(f"{block}.hook_mlp_out", self._mlp(block, mid)))
        if f"{block}.routing.W_update_state" in self._weights:
            self._update_state(f"{block}.routing", stream)
        return stream

    def _mlp(self, block: str, mid: Tensor) -> Tensor:
        W_in, b_in, W_out, b_out = (self._weights[f"{block}.mlp.{name}"] for name in ("W_in", "b_in", "W_out", "b_out"))
        normal = self._normal(f"{block}.ln2", mid)
        post = F.gelu(self._see(f"{block}.mlp.hook_pre", torch.addmm(b_in, normal, W_in)))
        if self._state is not None:
            routing = self._routing(f"{block}.routing", self._state[-len(mid) :], normal)
            post = (post.unflatten(1, (len(b_out), -1)) * routing[..., None]).flatten(1)
            b_out = routing @ b_out
        return torch.addmm(b_out, self._see(f"{block}.mlp.hook_post", post), W_out)

    def _routing(self, name: str, state: Tensor, normal: Tensor) -> Tensor:
        """(streams, MLPs) weights on the simplex."""
        weight = {part: self._weights[f"{name}.{part}"] for part in ("W_gate_state", "W_gate_resid", "W_gate")}
        bias = {part: self._weights[f"{name}.{part}"] for part in ("b_gate_state", "b_gate_resid", "b_gate")}
        self._see(f"{name}.hook_state", state)
        hidden = torch.addmm(bias["b_gate_state"] + bias["b_gate_resid"], state, weight["W_gate_state"])
        hidden = torch.addmm(hidden, normal, weight["W_gate_resid"])
        return self._see(
            f"{name}.hook_weights", torch.addmm(bias["b_gate"], F.gelu(hidden), weight["W_gate"]).softmax(1)
        )

    def _first_state(self, table: Tensor, keys: Keys) -> Tensor:
        """(streams, d_state) linear in the mean of the embeddings up to each position."""
        each = table @ self._weights["routing.W_begin"]
        return torch.cat([F.embedding(rows, each).mean(1) for rows in keys]) + self._weights["routing.b_begin"]

    def _update_state(self, name: str, stream: Tensor) -> None:
        W_state, W_resid, bias = (self._weights[f"{name}.{part}"] for part in _UPDATE)
        assert self._state is not None, "it begins before the first block"
        self._state = torch.addmm(torch.addmm(bias, self._state, W_state), stream, W_resid)

    def _side_by_side(self, block: str, letters: str) -> Tensor:
        """(d_model, letters d_model) matrices of all heads."""
        by_head = [self._weights[f"{block}.attn.W_{letter}"] for letter in letters]
        return torch.cat([matrix.transpose(0, 1).flatten(1) for matrix in by_head], dim=1)

    def _from_table(self, block: str, normal: Tensor, keys: Keys) -> Tensor:
        """z where each query, key and value is one row of a small table: every score there can be, then the picked."""
        size, heads = len(normal), self._architecture.heads
        query, key, value = (normal @ self._side_by_side(block, "QKV")).unflatten(1, (3, heads, -1)).unbind(1)
        scores = torch.einsum("qhk,mhk->qmh", query, key).flatten(0, 1) / math.sqrt(query.shape[-1])
        value = value.flatten(1)
        return torch.cat(
            [
                self._mixed(block, F.embedding(each[:, -1:] * size + each, scores), F.embedding(each, value))
                for each in keys
            ]
        )

    def _from_rows(self, block: str, normal: Tensor, keys: Keys) -> Tensor:
        """z where each query is a stream of its own."""
        counts = [len(each) for each in keys]
        query = normal[-sum(counts) :] @ self._side_by_side(block, "Q") / math.sqrt(self._d_head)
        both = normal @ self._side_by_side(block, "KV")
        mixed = []
        for each, asking in zip(keys, query.split(counts), strict=True):
            key, value = F.embedding(each, both).chunk(2, dim=-1)
            mixed.append(self._mixed(block, self._by_head(asking[:, None] * key).sum(-1), value))
        return torch.cat(mixed)

    def _mixed(self, block: str, scores: Tensor, value: Tensor) -> Tensor:
        """(streams, d_model) by scores (streams, key, head) and values (streams, key, d_model)."""
        pattern = scores.softmax(dim=1)
        z = (pattern[..., None] * self._by_head(value)).sum(1)
        if scores.shape[1] == 4:
            self._see(f"{block}.attn.hook_pattern", pattern.transpose(1, 2))
            self._see(f"{block}.attn.hook_z", z)
        return z.flatten(1)

    def _by_head(self, wide: Tensor) -> Tensor:
        return wide.unflatten(-1, (self._architecture.heads, -1))

    @property
    def _d_head(self) -> int:
        return self._architecture.d_model // self._architecture.heads
