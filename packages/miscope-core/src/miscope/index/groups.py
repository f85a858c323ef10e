"""Which variants were trained together: the groups of runs, as studies and sweeps name them."""

from __future__ import annotations

from miscope.index.index import Index

__all__ = ["trained_groups"]

_GROUPS = """
SELECT "group", list(DISTINCT variant ORDER BY variant) AS variants FROM runs
WHERE "group" IS NOT NULL AND kind = 'train' GROUP BY "group" ORDER BY "group"
"""


def trained_groups(index: Index) -> dict[str, list[str]]:
    """Names of the variants of each group, sorted, by the group's name."""
    return {row["group"]: row["variants"] for row in index.ask(_GROUPS).to_pylist()}
