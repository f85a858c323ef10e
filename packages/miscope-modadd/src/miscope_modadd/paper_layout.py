"""The state dict of Nanda et al. 2023, by its names and in its orientation, as weights by role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["roles_of_paper"]

_BLOCK = "blocks.0."
_ATTENTION = tuple(f"{_BLOCK}attn.W_{letter}" for letter in "QKV")
_OUT = f"{_BLOCK}attn.W_O"
_AXES = {
    "embed.W_E": 2,
    "pos_embed.W_pos": 2,
    "unembed.W_U": 2,
    **dict.fromkeys(_ATTENTION, 3),
    _OUT: 2,
    f"{_BLOCK}mlp.W_in": 2,
    f"{_BLOCK}mlp.W_out": 2,
}
"""The number of axes tells it from HookedTransformer's dicts of the same names, where W_O has three."""


def roles_of_paper(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The paper's tensors as roles, its MLP biases where it has them; {} where the state is of another layout.

    W_E is (d_model, token) there, W_Q, W_K and W_V (head, d_head, d_model), W_O (d_model, head * d_head), W_in
    (d_mlp, d_model), W_out (d_model, d_mlp); its causal mask is not a weight.
    """
    if any(name not in state or state[name].ndim != axes for name, axes in _AXES.items()):
        return {}
    heads, d_head, _ = state[_ATTENTION[0]].shape
    if state[_OUT].shape[1] != heads * d_head:
        return {}
    roles = {
        "W_E": state["embed.W_E"].T,
        "W_pos": state["pos_embed.W_pos"],
        **{name: state[name].transpose(1, 2) for name in _ATTENTION},
        _OUT: state[_OUT].unflatten(1, (heads, d_head)).permute(1, 2, 0),
        f"{_BLOCK}mlp.W_in": state[f"{_BLOCK}mlp.W_in"].T,
        f"{_BLOCK}mlp.W_out": state[f"{_BLOCK}mlp.W_out"].T,
        "W_U": state["unembed.W_U"],
    }
    biases = {name: state[name] for name in (f"{_BLOCK}mlp.b_in", f"{_BLOCK}mlp.b_out") if name in state}
    return {name: tensor.contiguous() for name, tensor in {**roles, **biases}.items()}
