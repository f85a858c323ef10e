"""TransformerBridge's state dict (TransformerLens 3 and 4): PyTorch's linear layers under the bridge's names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Role

__all__ = ["by_bridge"]

_NAME = re.compile(
    r"^(?P<part>(?:[\w.]+\.)?(?P<layer>embed|pos_embed|unembed|ln\w*|[qkvo]|in|out|gate))\.(?P<kind>weight|bias)$"
)
_OUTSIDE = {
    ("embed", "weight"): "W_E",
    ("pos_embed", "weight"): "W_pos",
    ("unembed", "weight"): "W_U",
    ("unembed", "bias"): "b_U",
}


def by_bridge(state: Mapping[str, Tensor], roles: Mapping[str, Role]) -> Mapping[str, Tensor] | None:
    """The state with every tensor that has a role under its role and in its orientation, the others as they stand.

    roles: of the family's model; the shapes of the heads' weights say how many heads the layers are cut into, which no
    tensor of this layout does. None where the state is of another layout, or a tensor cannot be cut so.
    """
    by_role: dict[str, Tensor] = {}
    for name, tensor in state.items():
        role = _role(name)
        if role not in roles:
            by_role[name] = tensor
            continue
        turned = _turned(role, tensor, roles[role].shape)
        if turned is None:
            return None
        by_role[role] = turned
    return by_role if by_role.keys() != state.keys() else None


def _role(name: str) -> str:
    """The role of a linear layer's weight or bias: 'blocks.0.attn.q.weight' is 'blocks.0.attn.W_Q'."""
    matched = _NAME.match(name)
    if matched is None:
        return name
    layer, kind = matched["layer"], matched["kind"]
    if (layer, kind) in _OUTSIDE:
        return _OUTSIDE[layer, kind]
    if layer.startswith("ln"):
        return f"{matched['part']}.{'w' if kind == 'weight' else 'b'}"
    letter = "W" if kind == "weight" else "b"
    return f"{matched['part'][: -len(layer)]}{letter}_{layer.upper() if len(layer) == 1 else layer}"


def _turned(role: str, tensor: Tensor, shape: Sequence[int]) -> Tensor | None:
    """A layer's (out, in) weight as (in, out); the heads' with an axis of heads before it."""
    name = role.rpartition(".")[2]
    if name in ("W_Q", "W_K", "W_V") and len(shape) == 3:
        heads, d_model, d_head = shape
        fits = tuple(tensor.shape) == (heads * d_head, d_model)
        return tensor.reshape(heads, d_head, d_model).transpose(1, 2).contiguous() if fits else None
    if name == "W_O" and len(shape) == 3:
        heads, d_head, d_model = shape
        fits = tuple(tensor.shape) == (d_model, heads * d_head)
        return tensor.T.reshape(heads, d_head, d_model).contiguous() if fits else None
    if name in ("b_Q", "b_K", "b_V"):
        return tensor.reshape(tuple(shape)) if tensor.numel() == prod(shape) else None
    oriented = tensor.T.contiguous() if name in ("W_in", "W_out", "W_gate", "W_U") and tensor.ndim == 2 else tensor
    return oriented if tuple(oriented.shape) == tuple(shape) else None
