"""What may be left on a network, or on its weights, by whoever runs it: found by comparing, and taken off again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["ModuleState", "TensorsState"]

_HOOKS = tuple(
    f"_{kind}{arguments}"
    for kind in ("forward_hooks", "forward_pre_hooks", "backward_hooks", "backward_pre_hooks")
    for arguments in ("", "_with_kwargs", "_always_called")
)
_PARTS = ("_parameters", "_buffers", "_modules")
"""Where PyTorch keeps what a module consists of, and what is called around it, by name or number."""


@final
class ModuleState:
    """A module as it was when this was made: weights, flags, gradients, hooks and mode of all its parts."""

    def __init__(self, module: nn.Module, whose: str = "the model") -> None:
        """whose: what it is called in words."""
        self._whose = whose
        self._parts = [_Part.of(name, part, whose) for name, part in module.named_modules()]
        self._tensors = TensorsState((*module.named_parameters(), *module.named_buffers()), f"{whose}'s", "own")

    def put_back(self) -> list[str]:
        """What is no longer as it was, in words, each once; all of it is put back."""
        # Parts first: a parameter that was exchanged for another is then the one whose values are compared.
        return [*dict.fromkeys((*self._put_parts_back(), *self._tensors.put_back()))]

    def _put_parts_back(self) -> Iterator[str]:
        for part in self._parts:
            for field, was in part.fields.items():
                now = getattr(part.module, field)
                # Not their order: running a module on other weights puts its own in last again.
                if now.keys() != was.keys() or any(_exchanged(now[key], was[key]) for key in was):
                    yield f"{'hooks' if field in _HOOKS else 'parts'} of {part.label}"
                    now.clear()
                    now.update(was)
            if part.module.training != part.training:
                yield f"{self._whose}'s training mode"
                part.module.training = part.training


@final
class TensorsState:
    """Tensors as they were when this was made: values, flags and gradients."""

    def __init__(self, tensors: Iterable[tuple[str, Tensor]], whose: str, what: str) -> None:
        """whose, what: "the model's", "own"; as one of them that was changed is told."""
        self._whose, self._what = whose, what
        self._tensors = [_Held(name, t, t.detach().clone(), t.requires_grad, t.grad) for name, t in tensors]

    def put_back(self) -> list[str]:
        """What is no longer as it was, in words, each once; all of it is put back."""
        return [*dict.fromkeys(self._put_back())]

    def _put_back(self) -> Iterator[str]:
        for held in self._tensors:
            if not _alike(held.tensor, held.values):
                yield f"{self._whose} {self._what} {held.name!r}"
                with torch.no_grad():
                    held.tensor.data = held.values.clone()
            if held.tensor.requires_grad != held.requires_grad:
                yield f"{self._whose} requires_grad flags"
                held.tensor.requires_grad_(held.requires_grad)
            if held.tensor.grad is not held.gradient:
                yield f"{self._whose} gradients"
                held.tensor.grad = held.gradient


@final
@dataclass(frozen=True)
class _Part:
    """A module of the network, with what hangs on it."""

    label: str
    module: nn.Module
    training: bool
    fields: Mapping[str, Mapping[Any, Any]]

    @classmethod
    def of(cls, name: str, module: nn.Module, whose: str) -> _Part:
        fields = {field: dict(getattr(module, field)) for field in (*_HOOKS, *_PARTS) if hasattr(module, field)}
        return cls(f"{whose}'s {name!r}" if name else whose, module, module.training, fields)


@final
@dataclass(frozen=True)
class _Held:
    """A parameter or buffer, and what it held."""

    name: str
    tensor: Tensor
    values: Tensor
    requires_grad: bool
    gradient: Tensor | None


def _exchanged(now: object, was: object) -> bool:
    """Whether it is another; a plain tensor is what running a module on given weights leaves of one with two names."""
    return now is not was and type(now) is not torch.Tensor


def _alike(one: Tensor, other: Tensor) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return torch.equal(one, other) or bool(((one == other) | ((one != one) & (other != other))).all())
