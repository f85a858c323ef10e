"""Parameters of a family that the shapes of a foreign state decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from miscope.errors import MiscopeError
from miscope.family import Family

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["at_another_value", "scales", "sizes_of"]

_SWEEPS = 2


def sizes_of(family: Family, state: Mapping[str, Tensor], params: Any, known: Container[str]) -> dict[str, int]:
    """Whole-number parameters with which the family's weights come nearest to the shapes of these tensors.

    Only those that differ from `params`. known: parameters that are given or said, and stay. Axes may be in any order,
    since layouts turn them; a parameter is sought among the sizes there are and those less one, for tokens beside the
    values. One after the other, twice: a head's width shows once the model's is right.
    """
    wanted = Counter(_turned(tensor.shape) for tensor in state.values() if tensor.ndim)
    sizes = {size for shape in wanted for size in shape}
    candidates = sorted(sizes | {size - 1 for size in sizes if size > 1})
    chosen: dict[str, int] = {}
    names = [name for name in params.model_dump() if name not in known and scales(family, params, name)]
    for _ in range(_SWEEPS):
        for name in names:
            start = {**params.model_dump(), **chosen}
            best = max([start[name], *candidates], key=lambda size: _shared(family, {**start, name: size}, wanted))
            if best != start[name]:
                chosen[name] = best
    return {name: size for name, size in chosen.items() if size != getattr(params, name)}


def scales(family: Family, params: Any, name: str) -> bool:
    """Whether a parameter is a whole number that changes shapes of the family's weights, and not how many there are."""
    other = at_another_value(family, params, name)
    if other is None:
        return False
    roles, changed = family.model(params).roles, family.model(other).roles
    return changed.keys() == roles.keys() and any(changed[role].shape != roles[role].shape for role in roles)


def at_another_value(family: Family, params: Any, name: str) -> Any | None:
    """The parameters with the next larger value of this whole number that the family takes; None if it is none."""
    value: Any = getattr(params, name)
    if type(value) is not int:
        return None
    for other in (*range(value + 1, value + 20), 2 * value):
        try:
            return family.params.model_validate({**params.model_dump(), name: other})
        except (ValidationError, MiscopeError):
            continue
    return None


def _shared(family: Family, fields: Mapping[str, Any], wanted: Counter[tuple[int, ...]]) -> int:
    """How many weights of the family with these parameters have the shape of a tensor of their own; -1 if refused."""
    try:
        roles = family.model(family.params.model_validate(fields)).roles.values()
    except (ValidationError, MiscopeError):
        return -1
    return (Counter(_turned(role.shape) for role in roles) & wanted).total()


def _turned(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(shape))
