"""The index's tables, and the SQL that makes them of ledger lines. The same for the whole ledger and for its tail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from miscope.store.ledger import ENDINGS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["LINE", "SCHEMA", "TABLES", "column", "create", "derive", "show_snapshot", "show_tail", "show_union"]

SCHEMA = 3
"""Raise it when a table changes; an index of another schema is built anew."""

TABLES: Mapping[str, Mapping[str, str]] = {
    "variants": {
        "variant": "VARCHAR",
        "family": "VARCHAR",
        "slug": "VARCHAR",
        "digest": "VARCHAR",
        "params": "JSON",
        "training": "JSON",
        "facts": "JSON",
        "problem": "VARCHAR",
    },
    "runs": {
        "run": "VARCHAR",
        "kind": "VARCHAR",
        "variant": "VARCHAR",
        "state": "VARCHAR",
        "started": "TIMESTAMP",
        "ended": "TIMESTAMP",
        "last_line": "TIMESTAMP",
        "error": "VARCHAR",
        "host": "VARCHAR",
        "pid": "BIGINT",
        "born": "DOUBLE",
        "group": "VARCHAR",
    },
    "checkpoints": {"variant": "VARCHAR", "step": "BIGINT", "time": "TIMESTAMP", "run": "VARCHAR"},
    "artifacts": {
        "variant": "VARCHAR",
        "analyzer": "VARCHAR",
        "step": "BIGINT",
        "recipe": "VARCHAR",
        "probe": "VARCHAR",
        "time": "TIMESTAMP",
        "run": "VARCHAR",
    },
    "metrics": {"variant": "VARCHAR", "step": "BIGINT", "name": "VARCHAR", "value": "DOUBLE"},
    "scalars": {
        "variant": "VARCHAR",
        "analyzer": "VARCHAR",
        "step": "BIGINT",
        "name": "VARCHAR",
        "value": "DOUBLE",
        "probe": "VARCHAR",
        "recipe": "VARCHAR",
    },
}
"""Table -> column -> type. Times are UTC. A scalar is of the recipe written last for its analyzer, probe and step; its
value is NULL where it is not a number, since NaN would be larger than every bound it is compared with."""

LINE: Mapping[str, str] = {
    "run": "VARCHAR",
    "time": "TIMESTAMP",
    "event": "VARCHAR",
    "kind": "VARCHAR",
    "variant": "VARCHAR",
    "step": "BIGINT",
    "analyzer": "VARCHAR",
    "recipe": "VARCHAR",
    "probe": "VARCHAR",
    "scalars": "MAP(VARCHAR, DOUBLE)",
    "error": "VARCHAR",
    "host": "VARCHAR",
    "pid": "BIGINT",
    "born": "DOUBLE",
    "request": 'STRUCT("group" VARCHAR)',
}
"""What the index reads of a ledger line; a line may say more."""

_ENDING = "CASE event " + " ".join(f"WHEN '{event}' THEN '{state}'" for event, state in ENDINGS.items()) + " END"

_DERIVED = {
    "runs": f"""
        SELECT run, max(kind), any_value(variant), coalesce(max({_ENDING}), 'running'),
            min(time) FILTER (event = 'started'), max(time) FILTER ({_ENDING} IS NOT NULL), max(time),
            max(error) FILTER (event = 'failed'), max(host), max(pid), max(born),
            max(request."group")
        FROM lines WHERE run IS NOT NULL GROUP BY run""",
    "checkpoints": """
        SELECT variant, step, max(time), max_by(run, time)
        FROM lines WHERE event = 'checkpoint' AND step IS NOT NULL GROUP BY variant, step""",
    "artifacts": """
        SELECT variant, analyzer, step, recipe, max_by(probe, time), max(time), max_by(run, time)
        FROM lines WHERE event = 'artifact' GROUP BY variant, analyzer, step, recipe""",
    "scalars": """
        WITH latest AS (
            SELECT max_by(rowid, time) AS line FROM lines WHERE event = 'artifact'
            GROUP BY variant, analyzer, step, split_part(probe, '@', 1)
        ), entries AS (
            SELECT variant, analyzer, step, split_part(probe, '@', 1) AS probe, recipe,
                unnest(map_entries(scalars)) AS entry
            FROM lines WHERE scalars IS NOT NULL AND rowid IN (SELECT line FROM latest)
        )
        SELECT variant, analyzer, step, entry.key, CASE WHEN isnan(entry.value) THEN NULL ELSE entry.value END,
            probe, recipe
        FROM entries""",
}

_REPLACED = {
    "variants": "tail.variants AS t ON s.variant = t.variant",
    "checkpoints": "tail.checkpoints AS t ON s.variant = t.variant AND s.step = t.step",
    "artifacts": """tail.artifacts AS t ON s.variant = t.variant AND s.analyzer = t.analyzer AND s.recipe = t.recipe
        AND s.step IS NOT DISTINCT FROM t.step""",
    "metrics": "tail.changed AS t ON s.variant = t.variant",
    "scalars": """tail.artifacts AS t ON s.variant = t.variant AND s.analyzer = t.analyzer
        AND s.probe = split_part(t.probe, '@', 1) AND s.step IS NOT DISTINCT FROM t.step""",
}
"""Which rows of the snapshot the tail makes obsolete."""


def column(name: str) -> str:
    """The column's name as SQL has it: between quotes where it is a word of the language, as `group` is."""
    return f'"{name}"' if name == "group" else name


def create(database: DuckDBPyConnection, schema: str) -> None:
    """Make the empty tables in a schema."""
    for table, columns in TABLES.items():
        listed = ", ".join(f"{column(name)} {kind}" for name, kind in columns.items())
        database.execute(f"CREATE TABLE {schema}.{table} ({listed})")


def derive(database: DuckDBPyConnection) -> None:
    """Make tail.runs, checkpoints, artifacts and scalars of the table `lines`."""
    for table, query in _DERIVED.items():
        database.execute(f"DELETE FROM tail.{table}")
        database.execute(f"INSERT INTO tail.{table} {query}")


def show_snapshot(database: DuckDBPyConnection, table: str) -> None:
    """Let the table's name stand for the snapshot's rows."""
    database.execute(f"CREATE OR REPLACE VIEW main.{table} AS FROM snapshot.main.{table}")


def show_tail(database: DuckDBPyConnection, table: str) -> None:
    """Let the table's name stand for the tail's rows."""
    database.execute(f"CREATE OR REPLACE VIEW main.{table} AS FROM tail.{table}")


def show_union(database: DuckDBPyConnection, table: str) -> None:
    """Let the table's name stand for the snapshot's rows and the newer ones of the tail."""
    database.execute(
        f"CREATE OR REPLACE VIEW main.{table} AS "
        + (
            _MERGED_RUNS
            if table == "runs"
            else f"FROM snapshot.main.{table} AS s ANTI JOIN {_REPLACED[table]} UNION ALL FROM tail.{table}"
        )
    )


_MERGED_RUNS = """
    SELECT run, max(kind) AS kind, max(variant) AS variant,
        coalesce(max(state) FILTER (state NOT IN ('running', 'interrupted')),
            max(state) FILTER (state = 'interrupted'), 'running') AS state,
        min(started) AS started, max(ended) AS ended, max(last_line) AS last_line, max(error) AS error,
        max(host) AS host, max(pid) AS pid, max(born) AS born,
        max("group") AS "group"
    FROM (FROM snapshot.main.runs UNION ALL FROM tail.runs) GROUP BY run"""
