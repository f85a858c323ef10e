"""Checkpoints and artifacts as files say they are there, against what the ledger says; a kill may part the two."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.artifact import scalars_of
from miscope.errors import BadFile
from miscope.index.schema import LINE
from miscope.store.array_file import read_arrays, read_key
from miscope.store.layout import Layout, step_name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["forget_absent", "list_files", "recover"]


def list_files(database: DuckDBPyConnection, layout: Layout, names: Iterable[str]) -> None:
    """Make the table `files` (variant, analyzer, recipe, step) of what lies in these variants' folders."""
    columns = [list(values) for values in zip(*_folders(layout, names), strict=True)] or [[], [], [], []]
    database.execute(
        r"""
        CREATE OR REPLACE TEMP TABLE files AS
        SELECT variant, analyzer, recipe, TRY_CAST(regexp_extract(name, '^step_(\d+)\.', 1) AS BIGINT) AS step
        FROM (SELECT variant, analyzer, recipe, unnest(string_split(names, '/')) AS name FROM (
            SELECT unnest(?::VARCHAR[]) AS variant, unnest(?::VARCHAR[]) AS analyzer, unnest(?::VARCHAR[]) AS recipe,
                unnest(?::VARCHAR[]) AS names))
        WHERE (analyzer IS NULL AND regexp_full_match(name, 'step_(\d{9}|[1-9]\d{9,17})\.safetensors'))
            OR (analyzer IS NOT NULL AND regexp_full_match(name, 'step_(\d{9}|[1-9]\d{9,17})\.npz|trajectory\.npz'))""",
        columns,
    )


def _folders(layout: Layout, names: Iterable[str]) -> Iterator[tuple[str, str | None, str | None, str]]:
    """(variant, analyzer, recipe, file names between slashes) of every folder; analyzer None for the checkpoints."""
    for variant in names:
        folder = layout.variant(variant)
        yield variant, None, None, "/".join(_listed(folder / "checkpoints"))
        for analyzer in _listed(folder / "artifacts"):
            for recipe in _listed(folder / "artifacts" / analyzer):
                yield variant, analyzer, recipe, "/".join(_listed(folder / "artifacts" / analyzer / recipe))


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def forget_absent(database: DuckDBPyConnection) -> None:
    """Drop lines about files that are no longer there."""
    for event, same in _MATCH.items():
        there = f"SELECT l.rowid FROM lines AS l SEMI JOIN files AS f ON {same} WHERE l.event = '{event}'"
        database.execute(f"DELETE FROM lines WHERE event = '{event}' AND rowid NOT IN ({there})")


_MATCH = {
    "checkpoint": "l.variant = f.variant AND l.step = f.step AND f.analyzer IS NULL",
    "artifact": """l.variant = f.variant AND l.analyzer = f.analyzer AND l.recipe = f.recipe
        AND l.step IS NOT DISTINCT FROM f.step""",
}


def recover(database: DuckDBPyConnection, layout: Layout, *, snapshot: bool) -> None:
    """Add to `lines` what `files` has and neither they nor the snapshot do, as the run would have written it."""
    known = {event: f"(SELECT variant, step, analyzer, recipe FROM lines WHERE event = '{event}')" for event in _MATCH}
    if snapshot:
        known["artifact"] += " UNION ALL SELECT variant, step, analyzer, recipe FROM snapshot.main.artifacts"
        known["checkpoint"] += " UNION ALL SELECT variant, step, NULL, NULL FROM snapshot.main.checkpoints"
    rows: list[dict[str, object]] = []
    for event, same in _MATCH.items():
        kind = "f.analyzer IS NULL" if event == "checkpoint" else "f.analyzer IS NOT NULL"
        lost = database.execute(f"FROM files AS f ANTI JOIN ({known[event]}) AS l ON {same} WHERE {kind}").fetchall()
        rows += [line for row in lost if (line := _line(layout, *row)) is not None]
    if rows:
        marks = ", ".join(f"?::{kind}" for kind in LINE.values())
        database.executemany(f"INSERT INTO lines VALUES ({marks})", [list(row.values()) for row in rows])


def _line(
    layout: Layout, variant: str, analyzer: str | None, recipe: str | None, step: int | None
) -> dict[str, object] | None:
    """The ledger line about a file; None if the file is gone or is not what its place says."""
    try:
        if analyzer is None or recipe is None:
            path = layout.checkpoint(variant, step or 0)
            return {
                **dict.fromkeys(LINE),
                "time": _changed(path),
                "event": "checkpoint",
                "variant": variant,
                "step": step,
            }
        folder = layout.artifacts(variant, analyzer, recipe)
        path = folder / ("trajectory.npz" if step is None else step_name(step, "npz"))
        scalars = scalars_of(read_arrays(path))
        artifact = {"analyzer": analyzer, "recipe": recipe, "probe": read_key(path).probe, "scalars": scalars}
        common = {"time": _changed(path), "event": "artifact", "variant": variant, "step": step}
        return {**dict.fromkeys(LINE), **common, **artifact}
    except (BadFile, FileNotFoundError):
        return None


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None)
