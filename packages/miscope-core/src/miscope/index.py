"""Questions in SQL over everything in a workspace: a published DuckDB snapshot, and what is newer than it.

DuckDB lets one process write a file and locks out all others meanwhile. So a published snapshot is never written
again: the next one is built aside and renamed into its place.
"""

from __future__ import annotations

import os
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, final

from miscope.atomic import sweep, sync_folder, unfinished
from miscope.errors import BadValue
from miscope.index_files import forget_absent, list_files, recover
from miscope.index_schema import SCHEMA, TABLES, create, derive, show_snapshot, show_tail, show_union
from miscope.index_survey import Survey, newer, survey
from miscope.index_tail import fill_metrics, fill_variants, read_lines
from miscope.ledger import is_alive
from miscope.store import Store

if TYPE_CHECKING:
    import pyarrow
    from duckdb import DuckDBPyConnection

__all__ = ["Index"]

_COVERAGE = {"ledgers": "BIGINT", "records": "VARCHAR", "metrics": "VARCHAR"}
"""What a snapshot says it takes account of, as in a Survey, and the type of its states."""

_TAIL_BYTES = 4 * 2**20
_TAIL_SHARE = 100
"""Ledger bytes beyond the snapshot above which a new one is published: so many, or this part of what it covers."""
_TAIL_VARIANTS = 32
"""Variants with new metrics or records above which a new one is published."""


@final
class Index:
    """The tables variants, runs, checkpoints, artifacts, metrics and scalars of one workspace."""

    def __init__(self, store: Store) -> None:
        self._store, self._path = store, store.layout.index

    def ask(self, sql: str) -> pyarrow.Table:
        """The answer to one SELECT, as of now; BadValue for anything else. No file can be read or written by it."""
        import duckdb

        statement = _only_question(sql)
        with closing(duckdb.connect()) as database:
            if self._show_all(database, anew=False):
                with suppress(OSError):  # a workspace one may only read is answered all the same
                    self._publish(database)
            database.execute("SET enable_external_access = false")
            database.execute("SET python_enable_replacements = false")
            database.execute("SET lock_configuration = true")
            try:
                return database.sql(statement).to_arrow_table()
            except duckdb.Error as error:
                raise _refused(str(error)) from None

    def rebuild(self) -> None:
        """Build the snapshot anew from the files and the ledgers, and publish it."""
        import duckdb

        with closing(duckdb.connect()) as database:
            self._show_all(database, anew=True)
            self._publish(database)

    def _show_all(self, database: DuckDBPyConnection, *, anew: bool) -> bool:
        """Make views of every table that show all there is now; whether it is time to publish them."""
        layout = self._store.layout
        covered = None if anew else _attached(database, self._path)
        now = survey(layout)
        if covered is not None and not covered.records.keys() <= now.records.keys():
            # A variant was deleted: only the files can say what went with it.
            database.execute("DETACH snapshot")
            covered = None
        changed = newer(now, covered or Survey())
        database.execute("CREATE SCHEMA tail")
        create(database, "tail")
        ends = read_lines(database, layout.ledger, changed.ledgers)
        if covered is None:
            list_files(database, layout, now.records)
            forget_absent(database)
            recover(database, layout, snapshot=False)
        fill_variants(database, self._store, changed)
        fill_metrics(database, self._store, changed)
        derive(database)
        _show(database, changed, snapshot=covered is not None)
        died = _note_deaths(database)
        if died and covered is not None:
            list_files(database, layout, now.records.keys() & died)
            recover(database, layout, snapshot=True)
            derive(database)
            _show(database, replace(changed, ledgers={"recovered": 0}), snapshot=True)
            _note_deaths(database)
        read = replace(now, ledgers={**(covered or Survey()).ledgers, **ends})
        _note_coverage(database, read)
        return covered is None or bool(died) or _large(changed, read)

    def _publish(self, database: DuckDBPyConnection) -> None:
        """Write what the views show into a new file and rename it into place."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        sweep(self._path.parent, deep=False)
        aside = unfinished(self._path)
        try:
            database.execute(f"ATTACH '{_quoted(aside)}' AS fresh")
            # A table has no order; keeping one would have a single thread write.
            database.execute("SET preserve_insertion_order = false")
            create(database, "fresh.main")
            for table in TABLES:
                database.execute(f"INSERT INTO fresh.main.{table} FROM main.{table}")
            database.execute("CREATE SCHEMA fresh.coverage")
            for table in _COVERAGE:
                database.execute(f"CREATE TABLE fresh.coverage.{table} AS FROM tail.covered_{table}")
            database.execute(f"CREATE TABLE fresh.coverage.format AS SELECT {SCHEMA} AS schema")
            database.execute("DETACH fresh")
            database.execute("SET preserve_insertion_order = true")
            with aside.open("rb") as file:
                os.fsync(file.fileno())
            aside.replace(self._path)
            sync_folder(self._path.parent)
        finally:
            aside.unlink(missing_ok=True)
            aside.with_name(f"{aside.name}.wal").unlink(missing_ok=True)


def _attached(database: DuckDBPyConnection, path: Path) -> Survey | None:
    """What the snapshot covers, once it is attached; None if there is none one can read.

    A file that another program holds open for writing is as good as none: the next one takes its name.
    """
    import duckdb

    if not path.exists():
        return None
    try:
        database.execute(f"ATTACH '{_quoted(path)}' AS snapshot (READ_ONLY)")
    except duckdb.Error:
        return None
    try:
        if database.execute("FROM snapshot.coverage.format").fetchall() == [(SCHEMA,)]:
            return Survey(**{p: dict(database.execute(f"FROM snapshot.coverage.{p}").fetchall()) for p in _COVERAGE})
    except duckdb.Error:
        pass
    database.execute("DETACH snapshot")
    return None


def _note_coverage(database: DuckDBPyConnection, covered: Survey) -> None:
    """Keep what the views take account of, for the snapshot they may become."""
    for name, kind in _COVERAGE.items():
        held = getattr(covered, name)
        database.execute(
            f"CREATE TABLE tail.covered_{name} AS SELECT unnest(?::VARCHAR[]) AS name, unnest(?::{kind}[]) AS state",
            [list(held), list(held.values())],
        )


def _note_deaths(database: DuckDBPyConnection) -> set[str]:
    """Show the runs as interrupted whose process is gone; the variants they worked on."""
    running = database.execute("SELECT run, variant, host, pid, born FROM runs WHERE state = 'running'").fetchall()
    dead = {run: variant for run, variant, host, pid, born in running if not is_alive(host, pid, born)}
    if dead:
        database.execute("CREATE OR REPLACE TABLE tail.settled AS FROM runs")
        database.execute("UPDATE tail.settled SET state = 'interrupted' WHERE list_contains(?, run)", [list(dead)])
        database.execute("CREATE OR REPLACE VIEW main.runs AS FROM tail.settled")
    return set(dead.values())


def _show(database: DuckDBPyConnection, changed: Survey, *, snapshot: bool) -> None:
    touched = {
        "variants": changed.records,
        "metrics": changed.metrics,
        **dict.fromkeys(("runs", "checkpoints", "artifacts", "scalars"), changed.ledgers),
    }
    for table in TABLES:
        show = show_tail if not snapshot else show_union if touched[table] else show_snapshot
        show(database, table)


def _large(changed: Survey, read: Survey) -> bool:
    tail = sum(read.ledgers[name] - begin for name, begin in changed.ledgers.items())
    bound = max(_TAIL_BYTES, sum(read.ledgers.values()) // _TAIL_SHARE)
    return tail > bound or max(len(changed.metrics), len(changed.records)) > _TAIL_VARIANTS


def _only_question(sql: str) -> str:
    """The statement, if it is one and reads only."""
    import duckdb

    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise _refused(str(error)) from None
    kinds = [statement.type for statement in statements]
    if kinds in ([duckdb.StatementType.SELECT], [duckdb.StatementType.EXPLAIN]):
        return statements[0].query
    said = ", ".join(kind.name for kind in kinds) or "nothing"
    raise BadValue(
        f"The index answers one SELECT; this is {said}.",
        "It is derived from the files of the workspace, so there is nothing to change in it.",
        "Ask one question at a time:  SELECT variant, min(step) FROM scalars GROUP BY variant",
    )


def _refused(message: str) -> BadValue:
    lines = [line for line in message.strip().splitlines() if line.strip()]
    tables = "; ".join(f"{table} ({', '.join(columns)})" for table, columns in TABLES.items())
    return BadValue(
        f"The question cannot be answered. {' '.join(lines[:2])}",
        f"The tables are: {tables}.",
        "Change the question; `DESCRIBE scalars` gives a table's types.",
    )


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
