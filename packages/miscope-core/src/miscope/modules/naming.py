"""What the weights and activations of a module are called: as it calls them, or as TransformerLens does where asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, final

from miscope.description import ModuleWeight
from miscope.errors import BadValue, UnknownName
from miscope.field_docs import documented

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["NamedWeight", "Names", "named_sites", "named_weights"]

_AXES = {
    "W_E": ("token", "d_model"),
    "W_pos": ("position", "d_model"),
    "W_U": ("d_model", "vocab_out"),
    "b_U": ("vocab_out",),
    "W_Q": ("head", "d_model", "d_head"),
    "W_K": ("head", "d_model", "d_head"),
    "W_V": ("head", "d_model", "d_head"),
    "W_O": ("head", "d_head", "d_model"),
    "b_Q": ("head", "d_head"),
    "b_K": ("head", "d_head"),
    "b_V": ("head", "d_head"),
    "b_O": ("d_model",),
    "W_in": ("d_model", "d_mlp"),
    "W_out": ("d_mlp", "d_model"),
    "b_in": ("d_mlp",),
    "b_out": ("d_model",),
}
"""By the last part of a role that TransformerLens has."""

_OF_HEADS = ("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V")


@final
@documented
@dataclass(frozen=True, slots=True)
class NamedWeight:
    """What a parameter is called in miscope, where its name alone does not say enough."""

    name: str
    """'blocks.0.attn.W_Q', 'W_U', or any other."""
    axes: tuple[str, ...] | None = None
    """What each of its axes counts, in the order (in, out); None: as that name has it in TransformerLens."""
    heads: int | None = None
    """How many heads lie side by side in a weight of attention."""


Names: TypeAlias = Mapping[str, str | NamedWeight]
"""The module's own name of a parameter or of a submodule -> what it is called in miscope."""


def named_weights(module: nn.Module, names: Names) -> tuple[ModuleWeight, ...]:
    """Every parameter, and every buffer that is part of its state; of tied parameters the first.

    A parameter without a name in `names` keeps its own, and lies as it does in the module; one with a name lies
    (in, out): the weight of an nn.Linear is transposed. Raises UnknownName, and BadValue for what does not fit.
    """
    known = {**dict(module.named_parameters()), **dict(module.named_modules())}
    for name in names:
        if name not in known or name == "":
            listing = f"Its parameters are: {', '.join(n for n, _ in module.named_parameters())}."
            raise UnknownName("parameter or submodule", name, known, listing=listing)
    buffers = dict(_buffers(module))
    if not any(True for _ in module.parameters()):
        kind = type(module).__name__
        raise BadValue("This model has no parameters.", f"It is {kind}.", "Record one that is trained.")
    weights = [
        *(_weight(module, name, tensor, names.get(name)) for name, tensor in module.named_parameters()),
        *(_own(name, tensor, buffer=True) for name, tensor in buffers.items()),
    ]
    _refuse_twice([weight.role for weight in weights], "weights")
    _refuse_two_sizes(weights)
    return tuple(weights)


def named_sites(module: nn.Module, recordable: Sequence[str], names: Names) -> dict[str, str]:
    """Site -> submodule, of the submodules whose outputs can be recorded. Raises BadValue for a name of another."""
    modules = dict(module.named_modules())
    for name, given in names.items():
        if name in modules and not isinstance(given, str):
            raise BadValue(
                f"{name!r} is a submodule, and a NamedWeight is the name of a weight.",
                "The output of a submodule is a site, which has a name and no axes.",
                f"Give the text alone: {name!r}: {given.name!r}.",
            )
        if name in modules and name not in recordable:
            raise BadValue(
                f"The output of {name!r} cannot be recorded as {given!r}.",
                "A site is the output of a submodule that is called once a pass and gives a tensor, batch first.",
                f"Name another; those that can be recorded are: {', '.join(recordable)}.",
            )
    called = {name: str(names.get(name, name)) for name in recordable}
    sites = [site for site in called.values() if site != "logits"]
    _refuse_twice(sites, "sites")
    return {site: name for name, site in called.items() if site != "logits"}


def _buffers(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Those that decide its numbers and may change while it trains, such as the running means of a normalisation."""
    kept = set(module.state_dict())
    for name, tensor in module.named_buffers():
        if name in kept and tensor.is_floating_point() and bool(tensor.isfinite().all()):
            yield name, tensor


def _own(name: str, tensor: Tensor, *, buffer: bool = False) -> ModuleWeight:
    shape = tuple(tensor.shape)
    axes = tuple(f"{name}[{axis}]" for axis in range(len(shape)))
    order = tuple(range(len(shape)))
    return ModuleWeight(parameter=name, role=name, axes=axes, stored=shape, view=shape, order=order, buffer=buffer)


def _weight(module: nn.Module, name: str, tensor: Tensor, given: str | NamedWeight | None) -> ModuleWeight:
    from torch.nn.parameter import is_lazy

    if is_lazy(tensor) or not tensor.is_floating_point():
        raise BadValue(
            f"The parameter {name!r} cannot be recorded.",
            "It has no shape yet." if is_lazy(tensor) else f"It is of type {tensor.dtype}.",
            "Run the model once first." if is_lazy(tensor) else "Record the model with floating-point weights.",
        )
    if given is None:
        return _own(name, tensor)
    wanted = given if isinstance(given, NamedWeight) else NamedWeight(given)
    view, order = _laid(module, name, tuple(tensor.shape), wanted)
    known = _AXES.get(wanted.name.rpartition(".")[2])
    axes = wanted.axes or known or tuple(f"{wanted.name}[{axis}]" for axis in range(len(view)))
    if len(axes) != len(view):
        shape = tuple(view[axis] for axis in order)
        raise BadValue(
            f"{name!r} cannot be called {wanted.name!r}: that has the axes {', '.join(axes)}.",
            f"As it lies in the module it would be of the shape {shape}.",
            "Give another name, or `axes=` and `heads=` in a NamedWeight.",
        )
    stored = tuple(tensor.shape)
    return ModuleWeight(parameter=name, role=wanted.name, axes=axes, stored=stored, view=view, order=order)


def _laid(
    module: nn.Module, name: str, shape: tuple[int, ...], wanted: NamedWeight
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """How a named parameter is reshaped, and in which order its axes then come: (in, out), heads first."""
    from torch import nn

    owner, _, leaf = name.rpartition(".")
    turned = isinstance(module.get_submodule(owner), nn.Linear) and leaf == "weight"
    word = wanted.name.rpartition(".")[2]
    if word not in _OF_HEADS or (wanted.heads is None and len(shape) == len(_AXES[word])):
        return shape, (1, 0) if turned else tuple(range(len(shape)))
    heads, split = wanted.heads or 0, 0 if turned == (word != "W_O") or len(shape) == 1 else len(shape) - 1
    if heads < 1 or shape[split] % heads:
        raise BadValue(
            f"{name!r} cannot be called {wanted.name!r}: how many heads it has is not known.",
            f"It is of the shape {shape}; heads={wanted.heads}.",
            f"Give their number: NamedWeight({wanted.name!r}, heads=4).",
        )
    view = (*shape[:split], heads, shape[split] // heads, *shape[split + 1 :])
    if len(shape) == 1:
        return view, (0, 1)
    if word == "W_O":
        return view, (1, 2, 0) if split else (0, 1, 2)
    return view, (1, 0, 2) if split else (0, 2, 1)


def _refuse_twice(names: Sequence[str], what: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadValue(
            f"Two {what} would be called {twice!r}.", "A name means one thing.", "Give one of them another name."
        )


def _refuse_two_sizes(weights: Sequence[ModuleWeight]) -> None:
    sizes: dict[str, tuple[str, int]] = {}
    for weight in weights:
        for axis, size in zip(weight.axes, weight.shape, strict=True):
            role, before = sizes.setdefault(axis, (weight.role, size))
            if before != size:
                raise BadValue(
                    f"The axis {axis!r} would have {before} entries in {role} and {size} in {weight.role}.",
                    "An axis is what is counted along it, and instruments read it so.",
                    f"Give one of them other words: NamedWeight({weight.role!r}, axes=(...)).",
                )
