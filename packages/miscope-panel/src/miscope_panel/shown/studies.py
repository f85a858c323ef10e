"""Which variants were trained together: the groups of runs, as studies and sweeps name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from miscope.errors import MiscopeError
from miscope.index.groups import trained_groups

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["studies"]


def studies(workspace: Workspace) -> Mapping[str, tuple[str, ...]]:
    """Their variants by the group's name; none where the index cannot be asked."""
    try:
        groups = trained_groups(workspace.index)
    except MiscopeError:
        return {}
    return {name: tuple(variants) for name, variants in groups.items()}
