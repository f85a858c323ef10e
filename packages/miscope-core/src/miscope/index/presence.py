"""Whether what the index knows of is still there: folders and checkpoints removed by hand, and those copied in."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.store.layout import Layout, step_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["forget_lost", "list_present", "lost", "unknown"]


def list_present(database: DuckDBPyConnection, layout: Layout, names: Collection[str]) -> None:
    """Make the table `present` (variant, analyzer, recipe, step) of these variants' checkpoints and recipe folders."""
    rows = [row for name in names for row in _present(layout.variant(name), name)]
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    database.execute(
        "CREATE OR REPLACE TEMP TABLE present AS SELECT unnest(?::VARCHAR[]) AS variant, unnest(?::VARCHAR[]) "
        "AS analyzer, unnest(?::VARCHAR[]) AS recipe, unnest(?::BIGINT[]) AS step",
        columns,
    )
    database.execute("CREATE OR REPLACE TEMP TABLE surveyed AS SELECT unnest(?::VARCHAR[]) AS variant", [list(names)])


def lost(database: DuckDBPyConnection) -> bool:
    """Whether the snapshot has something of the variants surveyed that is no longer there."""
    return any(database.execute(f"{query} LIMIT 1").fetchall() for query in (_GONE_CHECKPOINTS, _GONE_RECIPES))


def forget_lost(database: DuckDBPyConnection) -> None:
    """Drop lines about the variants surveyed that speak of what is no longer there."""
    for event, there in _THERE.items():
        database.execute(
            f"DELETE FROM lines WHERE event = '{event}' AND variant IN (FROM surveyed) AND rowid NOT IN "
            f"(SELECT l.rowid FROM lines AS l SEMI JOIN present AS p ON l.variant = p.variant AND {there})"
        )


def unknown(database: DuckDBPyConnection) -> set[str]:
    """The variants surveyed that have something which no table has, and that nobody works on just now."""
    rows = database.execute(
        f"""
        SELECT variant FROM ({_NEW_CHECKPOINTS} UNION {_NEW_RECIPES})
        WHERE variant NOT IN (SELECT variant FROM runs WHERE state = 'running' AND variant IS NOT NULL)"""
    ).fetchall()
    return {variant for (variant,) in rows}


_THERE = {
    "checkpoint": "p.analyzer IS NULL AND l.step = p.step",
    "artifact": "l.analyzer = p.analyzer AND l.recipe = p.recipe",
}
_KNOWN_RECIPES = "(SELECT DISTINCT variant, analyzer, recipe FROM {table} SEMI JOIN surveyed USING (variant))"
_GONE_CHECKPOINTS = """
    FROM snapshot.main.checkpoints SEMI JOIN surveyed USING (variant)
    ANTI JOIN (FROM present WHERE analyzer IS NULL) USING (variant, step)"""
_GONE_RECIPES = f"""
    FROM {_KNOWN_RECIPES.format(table="snapshot.main.artifacts")}
    ANTI JOIN (FROM present WHERE analyzer IS NOT NULL) USING (variant, analyzer, recipe)"""
_NEW_CHECKPOINTS = """
    SELECT variant FROM (FROM present WHERE analyzer IS NULL) ANTI JOIN main.checkpoints USING (variant, step)"""
_NEW_RECIPES = f"""
    SELECT variant FROM (FROM present WHERE analyzer IS NOT NULL)
    ANTI JOIN {_KNOWN_RECIPES.format(table="main.artifacts")} USING (variant, analyzer, recipe)"""


def _present(folder: Path, name: str) -> Iterator[tuple[str, str | None, str | None, int | None]]:
    for file in _listed(folder / "checkpoints"):
        if file.endswith(".safetensors") and (step := step_of(file)) is not None:
            yield name, None, None, step
    for analyzer in _listed(folder / "artifacts"):
        for recipe in _listed(folder / "artifacts" / analyzer):
            # An empty one holds nothing to know of: of what does not apply, or of artifacts that were removed.
            if any(file.endswith(".npz") for file in _listed(folder / "artifacts" / analyzer / recipe)):
                yield name, analyzer, recipe, None


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
