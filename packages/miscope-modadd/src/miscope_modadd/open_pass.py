"""The one-layer transformer site by site in plain PyTorch, every site open to hooks.

Twice as fast as the bridge, without TransformerLens, whose import takes seconds. What is written into a site counts
downstream whatever TransformerLens is installed (a bridge of its version 3 goes on with its own pattern), and
`hook_attn_scores` is what enters the softmax, -inf where a query may not attend.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping

import torch
from torch import Tensor

from miscope.model import LOGITS, Activations, Hook

__all__ = ["run"]

_ATTENTION, _MLP = "blocks.0.attn.", "blocks.0.mlp."
_STREAM = frozenset(f"blocks.0.hook_{name}" for name in ("resid_mid", "mlp_out", "resid_post"))
_AFTER_ATTENTION = _STREAM | {f"{_MLP}hook_pre", f"{_MLP}hook_post"}

Weights = Mapping[str, Tensor]
Tap = Callable[[str, Tensor], Tensor]


def run(
    weights: Weights,
    inputs: Tensor,
    sites: Collection[str],
    *,
    hooks: Iterable[Hook] = (),
    answer_only: bool = False,
) -> Activations:
    """Activations of the sites at all positions, of tokens (N, up to 3); as `miscope.model.Model.run`.

    answer_only: logits of the last position alone where no hook sees, and nobody records, what comes after attention.
    """
    changes = list(hooks)
    seen: dict[str, Tensor] = {}

    def tap(site: str, activation: Tensor) -> Tensor:
        for name, change in changes:
            if name == site:
                activation = change(activation)
        if site in sites:
            seen[site] = activation
        return activation

    embed = tap("hook_embed", weights["W_E"][inputs])
    positions = tap("hook_pos_embed", weights["W_pos"][: inputs.shape[1]].expand_as(embed))
    stream = tap("blocks.0.hook_resid_pre", embed + positions)
    attention_out = tap("blocks.0.hook_attn_out", _attention(weights, stream, tap))
    if answer_only and _AFTER_ATTENTION.isdisjoint([*sites, *(name for name, _ in changes)]):
        stream, attention_out = stream[:, -1:], attention_out[:, -1:]
    stream = tap("blocks.0.hook_resid_mid", stream + attention_out)
    stream = tap("blocks.0.hook_resid_post", stream + tap("blocks.0.hook_mlp_out", _mlp(weights, stream, tap)))
    if LOGITS in sites:
        seen[LOGITS] = stream @ weights["W_U"]
    return seen


def _attention(weights: Weights, stream: Tensor, tap: Tap) -> Tensor:
    """What attention writes into the stream (N, position, d_model)."""
    q, k, v = (
        tap(f"{_ATTENTION}hook_{name.lower()}", torch.einsum("npd,hdk->nphk", stream, weights[f"{_ATTENTION}W_{name}"]))
        for name in "QKV"
    )
    scores = torch.einsum("nqhk,nmhk->nhqm", q, k) / math.sqrt(q.shape[-1])
    later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
    scores = tap(f"{_ATTENTION}hook_attn_scores", scores.masked_fill(later, -math.inf))
    pattern = tap(f"{_ATTENTION}hook_pattern", scores.softmax(dim=-1))
    z = tap(f"{_ATTENTION}hook_z", torch.einsum("nhqm,nmhk->nqhk", pattern, v))
    return z.flatten(2) @ weights[f"{_ATTENTION}W_O"].flatten(0, 1)


def _mlp(weights: Weights, stream: Tensor, tap: Tap) -> Tensor:
    """What the MLP writes into the stream (N, position, d_model)."""
    pre = stream @ weights[f"{_MLP}W_in"]
    if f"{_MLP}b_in" in weights:
        pre = pre + weights[f"{_MLP}b_in"]
    out = tap(f"{_MLP}hook_post", torch.relu(tap(f"{_MLP}hook_pre", pre))) @ weights[f"{_MLP}W_out"]
    return out + weights[f"{_MLP}b_out"] if f"{_MLP}b_out" in weights else out
