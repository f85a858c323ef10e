"""Which variants were trained together: the groups of runs, as studies and sweeps name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from miscope.errors import MiscopeError

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["studies"]

_GROUPS = """
SELECT "group", list(DISTINCT variant ORDER BY variant) AS variants FROM runs
WHERE "group" IS NOT NULL AND kind = 'train' GROUP BY "group" ORDER BY "group"
"""


def studies(workspace: Workspace) -> Mapping[str, tuple[str, ...]]:
    """Their variants by the group's name; none where the index cannot be asked."""
    try:
        rows = workspace.ask(_GROUPS).to_pylist()
    except MiscopeError:
        return {}
    return {row["group"]: tuple(row["variants"]) for row in rows}
