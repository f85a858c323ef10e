"""A foreign state as weights by role, if it is of a family."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from miscope.family import Family
from miscope.importing.foreign.bridge import by_bridge
from miscope.importing.foreign.names import namings
from miscope.importing.foreign.tensors import check_weights

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["by_role"]

_TRIPPED = (RuntimeError, LookupError, ValueError, TypeError, AttributeError)


def by_role(
    path: Path, family: Family, state: Mapping[str, Tensor], params: Any
) -> tuple[dict[str, Tensor], Mapping[str, Tensor]] | None:
    """The weights by role, and the state under the names the family knew it by; None if it is of another layout.

    Raises BadFile where it is the family's and its weights are of a kind no instrument reads.
    """
    roles = family.model(params).roles
    bridged = (by_bridge(named, roles) for named in namings(state))
    shapes = {name: tuple(role.shape) for name, role in roles.items()}
    for named in chain(namings(state), (one for one in bridged if one is not None)):
        try:
            weights = family.adopt(named, params)
        except _TRIPPED:
            # A family that reads one layout may trip over another; the next may know it.
            continue
        # A family's own `adopt` may go by names alone.
        if weights is not None and {name: tuple(t.shape) for name, t in weights.items()} == shapes:
            check_weights(path, weights)
            return weights, named
    return None
