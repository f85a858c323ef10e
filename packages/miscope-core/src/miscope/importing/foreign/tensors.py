"""The tensors of a foreign state: which of them can be weights, and in which precision they become some."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.errors import BadFile

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["as_floats", "check_weights"]

_HALF = ("float16", "bfloat16")
_FULL = ("float32", "float64")
_EXPANDED = 2**24
"""Numbers up to which a tensor may repeat those it holds: writing them out takes memory the file does not show."""
_TODO = "Where the file was made, save the weights as dense float32 tensors on the CPU."


def as_floats(path: Path, state: Mapping[Any, Any]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors of a state, half precision as float32; and the dtypes that were cast: ('bfloat16',).

    A state of several precisions gets the widest of them, since a model runs in one. Tensors of other kinds stay as
    they are: masks and counters are among them, and `check_weights` refuses them as weights. Raises BadFile for what
    holds no plain numbers: sparse, quantized and meta tensors.
    """
    import torch

    tensors = {str(name): value.detach() for name, value in state.items() if torch.is_tensor(value)}
    for name, tensor in tensors.items():
        if reason := _unreadable(tensor):
            raise BadFile(path, f"Its tensor {name!r} is {reason}.", _TODO)
    floats = {name: kind for name, tensor in tensors.items() if (kind := _name(tensor.dtype)) in (*_HALF, *_FULL)}
    target = "float64" if "float64" in floats.values() else "float32"
    cast = {name: tensors[name].to(getattr(torch, target)) for name, kind in floats.items() if kind != target}
    return {**tensors, **cast}, tuple(sorted({floats[name] for name in cast}))


def check_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """BadFile where a weight is of a kind no instrument reads: whole, complex or 8-bit numbers, truth values."""
    for role, tensor in weights.items():
        if (kind := _name(tensor.dtype)) not in _FULL:
            raise BadFile(path, f"Its weight {role!r} is of {kind} numbers, which no model here runs on.", _TODO)


def _unreadable(tensor: Tensor) -> str | None:
    import torch

    if tensor.is_meta:
        return "a meta tensor, a shape without numbers"
    if tensor.is_quantized:
        return f"quantized ({_name(tensor.dtype)})"
    if tensor.is_nested:
        return "nested, of several shapes"
    if tensor.layout is not torch.strided:
        return f"sparse ({_name(tensor.layout)})"
    held = tensor.untyped_storage().nbytes() // max(tensor.element_size(), 1)
    if tensor.numel() > max(held, _EXPANDED):
        return f"expanded: {held} numbers repeated to {tensor.numel()}"
    return None


def _name(kind: object) -> str:
    return str(kind).removeprefix("torch.")
