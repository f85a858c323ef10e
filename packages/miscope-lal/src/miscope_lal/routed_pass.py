"""The routed network's algebra, every site open to hooks, all heads of a layer as one product."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from miscope.lazily import torch
from miscope.model import LOGITS
from miscope_lal.open_model import ROWS

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Activations, Hook

__all__ = ["logits", "run", "sites"]

_SITES = (
    *("hook_resid_pre", "routing.hook_state", "routing.hook_weights", "mlp.hook_pre", "mlp.hook_post"),
    *("hook_mlp_out", "hook_resid_post"),
)
_BY_HEAD = ("mlp.hook_pre", "mlp.hook_post")
"""Computed (head, input, neuron), and shown one head's beside the other's."""
_EPSILON = 1e-5

Weights = Mapping[str, "Tensor"]
Tap = Callable[[str, "Tensor"], "Tensor"]


def sites(layers: int) -> frozenset[str]:
    """Every site: 'blocks.L.routing.hook_weights' (batch, 1, head) is on the simplex, `hook_state` what the layer's
    gate reads; `mlp.hook_pre` and `mlp.hook_post` have the heads' hidden layers one beside the other."""
    return frozenset({LOGITS, "hook_embed", *(f"blocks.{layer}.{name}" for layer in range(layers) for name in _SITES)})


def run(weights: Weights, inputs: Tensor, sites: Collection[str], *, hooks: Iterable[Hook] = ()) -> Activations:
    """Activations of the sites, (N, 1, channels), of inputs (N, 2 p): one-hot a, then one-hot b."""
    changes, seen = tuple(hooks), dict[str, "Tensor"]()
    looked_at = {*sites, *(name for name, _ in changes)}

    def tap(site: str, activation: Tensor) -> Tensor:
        if site not in looked_at:
            return activation
        by_head = activation.shape[0] if site.endswith(_BY_HEAD) else None
        if by_head is not None:
            activation = activation.transpose(0, 1).flatten(1)[:, None]
        for name, change in changes:
            if name == site:
                activation = change(activation)
        if site in sites:
            seen[site] = activation
        return activation if by_head is None else activation[:, 0].unflatten(-1, (by_head, -1)).transpose(0, 1)

    answers = _forward(weights, inputs[:, None], tap)
    if LOGITS in sites:
        seen[LOGITS] = answers
    return seen


def logits(weights: Weights, inputs: Tensor) -> Tensor:
    """Logits (N, p) of inputs (N, 2 p), without the hooks."""
    parts = inputs.split(ROWS)
    answers = [_forward(weights, part, lambda site, activation: activation) for part in parts]
    return answers[0] if len(answers) == 1 else torch.cat(answers)


def _forward(weights: Weights, inputs: Tensor, tap: Tap) -> Tensor:
    embedding = torch.cat([weights["W_E.a"], weights["W_E.b"]])
    stream = tap("hook_embed", _linear(inputs.to(embedding.dtype), embedding, weights["b_E"]))
    state = _linear(stream, weights["routing.W_begin"], weights["routing.b_begin"])
    layer = 0
    while f"blocks.{layer}.mlp.W_in" in weights:
        stream, state = _block(weights, stream, state, f"blocks.{layer}.", tap)
        layer += 1
    return _linear(stream, weights["W_U"], weights["b_U"])


def _block(weights: Weights, stream: Tensor, state: Tensor, block: str, tap: Tap) -> tuple[Tensor, Tensor]:
    """The stream and the routing state behind a layer; the state as it was where nothing reads it any more."""
    own = {name.removeprefix(block): weight for name, weight in weights.items() if name.startswith(block)}
    stream = tap(f"{block}hook_resid_pre", stream)
    state = tap(f"{block}routing.hook_state", state)
    taken = tap(f"{block}routing.hook_weights", _gate(own, state, stream))
    moved = stream + tap(f"{block}hook_mlp_out", _heads(own, stream, taken, lambda site, x: tap(block + site, x)))
    norm = torch.nn.functional.layer_norm(moved, moved.shape[-1:], own["ln.w"], own["ln.b"], _EPSILON)
    stream = tap(f"{block}hook_resid_post", norm)
    if "routing.W_update_state" in own:
        state = _linear(state, own["routing.W_update_state"], own["routing.b_update"])
        state = state + stream @ own["routing.W_update_resid"]
    return stream, state


def _gate(own: Weights, state: Tensor, stream: Tensor) -> Tensor:
    """Routing weights (..., head)."""
    hidden = _linear(state, own["routing.W_gate_state"], own["routing.b_gate_state"])
    hidden = hidden + _linear(stream, own["routing.W_gate_resid"], own["routing.b_gate_resid"])
    return _linear(torch.nn.functional.gelu(hidden), own["routing.W_gate"], own["routing.b_gate"]).softmax(-1)


def _linear(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return torch.nn.functional.linear(inputs, weight.T, bias)


def _heads(own: Weights, stream: Tensor, taken: Tensor, tap: Tap) -> Tensor:
    """sum_k w_k MLP_k(h): one product into all hidden layers (head, input, neuron), and one out of them."""
    heads = taken.shape[-1]
    inputs = stream.flatten(0, -2).expand(heads, -1, -1)
    W_in = own["mlp.W_in"].unflatten(1, (heads, -1)).transpose(0, 1)
    pre = tap("mlp.hook_pre", torch.baddbmm(own["mlp.b_in"].view(heads, 1, -1), inputs, W_in))
    post = tap("mlp.hook_post", torch.nn.functional.gelu(pre))
    each = torch.baddbmm(own["mlp.b_out"][:, None], post, own["mlp.W_out"].unflatten(0, (heads, -1)))
    return (taken.flatten(0, -2).T[..., None] * each).sum(0).view_as(stream)
