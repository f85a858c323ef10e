"""Why a foreign state is of no family: what the nearest one would have in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.errors import BadFile, MiscopeError, UnknownName
from miscope.family import Family
from miscope.importing.foreign.names import namings
from miscope.importing.foreign.sizes import scales

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Role

__all__ = ["refused_by_all", "unrecognised"]

_FEW = 4


def refused_by_all(families: Sequence[Family], refusals: Sequence[MiscopeError]) -> MiscopeError:
    """The one refusal to show where every family refuses the fields: of a family that knows them, if there is one."""
    refusal = next((error for error in refusals if not isinstance(error, UnknownName)), refusals[0])
    if not isinstance(refusal, UnknownName) or len(families) == 1:
        return refusal
    known = {name for error in refusals if isinstance(error, UnknownName) for name in error.known}
    return UnknownName(
        "field", refusal.name, known, listing="Name the family (--family), and the message lists its fields."
    )


def unrecognised(path: Path, state: Mapping[str, Tensor], tried: Sequence[tuple[Family, Any]]) -> BadFile:
    """BadFile that names the family whose weights come nearest, and where they differ. tried: families and params."""
    single = tried[0][0] if len(tried) == 1 else None
    who = f"The family {single.name!r} does not recognise its tensors" if single else "No family recognises its tensors"
    held = _listing([f"{name} {_shape(tensor.shape)}" for name, tensor in state.items()])
    nearest, roles, shared = _nearest(state, tried)
    if not shared:
        todo = (
            "Give the family it is of (`miscope families` lists them). For a model of your own, write one whose "
            "`adopt` knows these names: docs/write-a-family.md."
        )
        return BadFile(path, f"{who}: {held}.", todo)
    other = [
        f"{name} is {_shape(tensor.shape)} and would be {_shape(roles[name].shape)}"
        for name, tensor in shared.items()
        if tuple(tensor.shape) != roles[name].shape
    ]
    missing = [name for name in roles if name not in shared]
    differ = _listing([*other, *(f"{name} is missing" for name in missing)])
    first = "it" if single else f"the nearest, {nearest.name}"
    params = next(params for family, params in tried if family is nearest)
    scaling = ", ".join(name for name in nearest.params.model_fields if scales(nearest, params, name))
    todo = (
        f"Give the sizes it was made with (--param NAME=VALUE, of {scaling}), or the family it is of."
        if scaling
        else "Give the family it is of."
    )
    more = f"For a network of other sizes than {nearest.name} has, write a family: docs/write-a-family.md."
    return BadFile(path, f"{who}; for {first}, {differ}.", f"{todo} {more}")


def _nearest(
    state: Mapping[str, Tensor], tried: Sequence[tuple[Family, Any]]
) -> tuple[Family, Mapping[str, Role], dict[str, Tensor]]:
    """The family with most of its roles among the names of the state; its roles, and the tensors under them."""
    candidates = []
    for family, params in tried:
        roles = family.model(params).roles
        for named in namings(state):
            shared = {name: named[name] for name in roles if name in named}
            alike = sum(tuple(tensor.shape) == roles[name].shape for name, tensor in shared.items())
            candidates.append(((len(shared) / len(roles), alike), family, roles, shared))
    _, family, roles, shared = max(candidates, key=lambda one: one[0])
    return family, roles, shared


def _listing(parts: Sequence[str]) -> str:
    more = f", and {len(parts) - _FEW} more" if len(parts) > _FEW else ""
    return ", ".join(parts[:_FEW]) + more


def _shape(shape: Sequence[int]) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"
