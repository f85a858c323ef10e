"""Exact algebra of the one-layer transformer at the answer position.

Only the last position's logits count, and there every query is the same token '='. So each head's score and value
depend on one (token, position) alone and come from tables of 2 prime + 1 rows; value, output, input and unembedding
matrices fold into those tables; and attending becomes a weighted sum of twelve table rows (four heads, three keys).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

__all__ = ["PATTERN", "POST", "PRE", "RESID", "SITES", "Z", "activations", "answerable", "logits", "unfolded_logits"]

PATTERN, Z = "blocks.0.attn.hook_pattern", "blocks.0.attn.hook_z"
PRE, POST = "blocks.0.mlp.hook_pre", "blocks.0.mlp.hook_post"
ATTENTION, MID = "blocks.0.hook_attn_out", "blocks.0.hook_resid_mid"
WRITTEN, RESID = "blocks.0.hook_mlp_out", "blocks.0.hook_resid_post"
SITES = frozenset({"logits", PATTERN, Z, ATTENTION, MID, PRE, POST, WRITTEN, RESID})
"""What `activations` can give."""

_LANES = 16
"""The unembedding is padded to a multiple of this many columns: matrix products of 113 columns are a third slower."""

_ROWS = 2048
"""Rows evaluated at a time where no gradient is wanted, so that they stay in the cache."""

Weights = Mapping[str, Tensor]


def answerable(inputs: Tensor, prime: int) -> bool:
    """Whether every input is [a, b, =] with a and b below the prime: the form the tables are for."""
    if inputs.ndim != 2 or inputs.shape[1] != 3:
        return False
    return bool((inputs[:, 2] == prime).all() & (inputs[:, :2] < prime).all() & (inputs[:, :2] >= 0).all())


def logits(weights: Weights, inputs: Tensor) -> Tensor:
    """Logits (N, vocabulary) of inputs [a, b, =] (N, 3), differentiable in the weights, twice if one likes.

    Equal to the hooked model's up to rounding. On other devices than the CPU the same sum is a batch of products.
    """
    W_in, W_out, W_U = (weights[name] for name in ("blocks.0.mlp.W_in", "blocks.0.mlp.W_out", "W_U"))
    width, vocabulary = W_in.shape[1], W_U.shape[1]
    unembed = F.pad(W_U, (0, -vocabulary % _LANES))
    constant = torch.cat([_answer_stream(weights) @ W_in + _bias(weights, "b_in"), _direct(weights) @ unembed])
    table = _folded(weights, torch.cat([W_in, unembed], dim=1), constant)
    attention, rows = _attention(weights, inputs)
    through = W_out @ unembed
    needs_gradient = torch.is_grad_enabled() and (table.requires_grad or through.requires_grad)
    if needs_gradient or inputs.device.type != "cpu":
        return _answers(table, attention, rows, through)[:, :vocabulary]
    blocks = zip(attention.split(_ROWS), rows.split(_ROWS), strict=True)
    return torch.cat([_mlp(_weighted_sum(table, A, r), width, through) for A, r in blocks])[:, :vocabulary]


def unfolded_logits(weights: Weights, inputs: Tensor) -> Tensor:
    """The same logits by the network's own matrices one after the other, once differentiable.

    Slower than `logits` by half. It rounds as the network does, which a replay of somebody's run depends on.
    """
    return _after_block(weights, *_attention(weights, inputs)) @ weights["W_U"]


def activations(
    weights: Weights, inputs: Tensor, sites: Collection[str], channels: Sequence[int] | None
) -> dict[str, Tensor]:
    """Answer-position activations of sites among SITES, for inputs [a, b, =].

    Pre- and post-activations (N, d_mlp); what attention and MLP write and the residual stream after them (N, d_model);
    pattern (N, head, key), z (N, head, d_head), logits (N, vocabulary).
    channels: only these entries of the last axis, of sites other than 'logits'.
    """
    pick = slice(None) if channels is None else list(channels)
    by_site: dict[str, Tensor] = {}
    attention, rows = _attention(weights, inputs)
    heads = weights["blocks.0.attn.W_Q"].shape[0]
    if PATTERN in sites:
        by_site[PATTERN] = attention.view(len(inputs), 3, heads).transpose(1, 2)[..., pick]
    if Z in sites:
        by_site[Z] = _attended_values(weights, attention, rows)[..., pick]
    if {PRE, POST} & set(sites):
        W_in = weights["blocks.0.mlp.W_in"][:, pick]
        constant = _answer_stream(weights) @ W_in + _bias(weights, "b_in")[..., pick]
        pre = _mixed(_folded(weights, W_in, constant), attention, rows)
        by_site |= {name: value for name, value in ((PRE, pre), (POST, torch.relu(pre))) if name in sites}
    if {ATTENTION, MID, WRITTEN, RESID} & set(sites):
        by_site |= _written(weights, attention, rows, pick, sites)
    if "logits" in sites:
        by_site["logits"] = logits(weights, inputs)
    return {name: by_site[name] for name in sites}


def _answer_stream(weights: Weights) -> Tensor:
    """(d_model,) residual stream of '=' before attention."""
    return weights["W_E"][-1] + weights["W_pos"][-1]


def _direct(weights: Weights) -> Tensor:
    """(d_model,) what reaches the unembedding whatever the input."""
    return _answer_stream(weights) + _bias(weights, "b_out")


def _bias(weights: Weights, name: str) -> Tensor:
    """The MLP's bias; zeros, broadcastable, where the family has none."""
    W_in = weights["blocks.0.mlp.W_in"]
    role = f"blocks.0.mlp.{name}"
    return weights[role] if role in weights else W_in.new_zeros(W_in.shape[1] if name == "b_in" else W_in.shape[0])


def _streams(weights: Weights) -> Tensor:
    """(2 prime + 1, d_model) everything that can be attended to: tokens at position 0, at position 1, then '='."""
    tokens, positions = weights["W_E"][:-1], weights["W_pos"]
    return torch.cat([tokens + positions[0], tokens + positions[1], _answer_stream(weights)[None]])


def _attention(weights: Weights, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (N, 3 heads) of the answer's query, key by key, and the table rows (N, 3 heads) they belong to."""
    W_Q, W_K = weights["blocks.0.attn.W_Q"], weights["blocks.0.attn.W_K"]
    heads, _, d_head = W_Q.shape
    streams = _streams(weights)
    query = torch.einsum("d,hdk->hk", _answer_stream(weights), W_Q) / math.sqrt(d_head)
    scores = streams @ torch.einsum("hk,hdk->dh", query, W_K)
    prime = weights["W_E"].shape[0] - 1
    keys = inputs + inputs.new_tensor([0, prime, prime])
    attention = torch.softmax(F.embedding(keys, scores), dim=1)
    rows = keys[:, :, None] + torch.arange(heads, device=inputs.device) * len(streams)
    return attention.flatten(1), rows.flatten(1)


def _values(weights: Weights) -> Tensor:
    """(head, 2 prime + 1, d_head) the value of every key."""
    return torch.einsum("nd,hdk->hnk", _streams(weights), weights["blocks.0.attn.W_V"])


def _folded(weights: Weights, right: Tensor, constant: Tensor) -> Tensor:
    """(heads (2 prime + 1), columns): what each key adds to `right`'s columns once attended to.

    A head's attention sums to one, so `constant`, which every input gets, joins the first head's rows.
    """
    table = _values(weights) @ (weights["blocks.0.attn.W_O"] @ right)
    head = F.pad(constant[None, None], (0, 0, 0, 0, 0, len(table) - 1))
    return (table + head).flatten(0, 1)


def _attended_values(weights: Weights, attention: Tensor, rows: Tensor) -> Tensor:
    """(N, head, d_head) every head's weighted sum of its values."""
    values = _values(weights)
    heads, _, d_head = values.shape
    bags = (rows.view(-1, 3, heads).transpose(1, 2).reshape(-1, 3), attention.view(-1, 3, heads).transpose(1, 2))
    summed = F.embedding_bag(bags[0], values.flatten(0, 1), per_sample_weights=bags[1].reshape(-1, 3), mode="sum")
    return summed.view(-1, heads, d_head)


def _written(
    weights: Weights, attention: Tensor, rows: Tensor, pick: slice | list[int], sites: Collection[str]
) -> dict[str, Tensor]:
    """Some channels of what attention and MLP write to the answer's residual stream, and of the stream after each."""
    z = _attended_values(weights, attention, rows).flatten(1)
    through, stream = bool({WRITTEN, RESID} & set(sites)), _answer_stream(weights)
    W_O = weights["blocks.0.attn.W_O"].flatten(0, 1)
    attended = z @ (W_O if through else W_O[:, pick])
    mid = stream + attended if through else stream[pick] + attended
    by_site = {ATTENTION: attended, MID: mid}
    if through:
        pre = mid @ weights["blocks.0.mlp.W_in"] + _bias(weights, "b_in")
        by_site = {site: part[:, pick] for site, part in by_site.items()}
        by_site[WRITTEN] = torch.relu(pre) @ weights["blocks.0.mlp.W_out"][:, pick] + _bias(weights, "b_out")[pick]
        by_site[RESID] = by_site[MID] + by_site[WRITTEN]
    return by_site


def _after_block(weights: Weights, attention: Tensor, rows: Tensor) -> Tensor:
    """(N, d_model) the answer's residual stream after attention and MLP."""
    return _written(weights, attention, rows, slice(None), (RESID,))[RESID]


def _mixed(table: Tensor, attention: Tensor, rows: Tensor) -> Tensor:
    """(N, columns) each input's weighted sum of table rows, differentiable as often as one likes."""
    if not (torch.is_grad_enabled() and (table.requires_grad or attention.requires_grad)):
        return _weighted_sum(table, attention, rows)
    return sum((attention[:, i, None] * table[rows[:, i]] for i in range(rows.shape[1])), table.new_zeros(()))


def _weighted_sum(table: Tensor, attention: Tensor, rows: Tensor) -> Tensor:
    return F.embedding_bag(rows, table, per_sample_weights=attention.contiguous(), mode="sum")


def _mlp(mixed: Tensor, width: int, through: Tensor) -> Tensor:
    """Logits from pre-activations and the direct path side by side; overwrites the former."""
    return torch.addmm(mixed[:, width:], mixed[:, :width].relu_(), through)


def _answers(table: Tensor, attention: Tensor, rows: Tensor, through: Tensor) -> Tensor:
    result = _Answers.apply(table, attention, rows, through)
    assert isinstance(result, Tensor)
    return result


class _Answers(Function):
    """Weighted table rows, ReLU, output: with a backward pass that is all matrix products and weighted row sums."""

    @staticmethod
    def forward(ctx, table: Tensor, attention: Tensor, rows: Tensor, through: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        mixed = _weighted_sum(table, attention, rows)
        out = _mlp(mixed, len(through), through)
        ctx.save_for_backward(table, attention, rows, through, mixed)
        return out

    @staticmethod
    def backward(ctx, grad: Tensor):  # pyright: ignore[reportIncompatibleMethodOverride]
        table, attention, rows, through, mixed = ctx.saved_tensors
        if torch.is_grad_enabled():
            return _twice(table, attention, rows, through, grad)
        post = mixed[:, : len(through)]
        grad_mixed = torch.empty_like(mixed)
        grad_pre = grad_mixed[:, : len(through)]
        torch.mm(grad, through.T, out=grad_pre)
        torch.ops.aten.threshold_backward.grad_input(grad_pre, post, 0, grad_input=grad_pre)
        grad_mixed[:, len(through) :] = grad
        return (
            _transposed_sum(grad_mixed, attention, rows, len(table)),
            _row_products(grad_mixed, table, rows),
            None,
            post.T @ grad,
        )


def _twice(table: Tensor, attention: Tensor, rows: Tensor, through: Tensor, grad: Tensor) -> tuple[Tensor | None, ...]:
    """The same gradients, to be differentiated again."""
    pre = _mixed(table, attention, rows)[:, : len(through)]
    grad_mixed = torch.cat([(grad @ through.T) * (pre > 0), grad], dim=1)
    shares = torch.zeros_like(table)
    for i in range(rows.shape[1]):
        shares = shares.index_add(0, rows[:, i], attention[:, i, None] * grad_mixed)
    products = torch.stack([(grad_mixed * table[row]).sum(dim=1) for row in rows.T], dim=1)
    return shares, products, None, torch.relu(pre).T @ grad


def _transposed_sum(grad: Tensor, attention: Tensor, rows: Tensor, count: int) -> Tensor:
    """(count, columns) every table row's share of the gradient: the same kernel, the other way round."""
    flat = rows.flatten()
    order = torch.argsort(flat, stable=True)
    starts = torch.searchsorted(flat[order], torch.arange(count, device=flat.device))
    weights = attention.flatten()[order]
    inputs = order // rows.shape[1]
    return F.embedding_bag(inputs, grad, starts, per_sample_weights=weights, mode="sum")


def _row_products(grad: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """(N, rows per input) product of each input's gradient with each of its table rows."""
    n, each = rows.shape
    starts = torch.arange(0, n * each, each, device=rows.device)
    owner = torch.arange(n, device=rows.device).repeat_interleave(each)
    products = torch.ops.aten._embedding_bag_per_sample_weights_backward(grad, table, rows.flatten(), starts, owner, 0)
    return products.view(n, each)
