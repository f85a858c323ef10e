"""Views of everything in a workspace as it is now: the published snapshot, and beside it what is newer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.index.files import forget_absent, list_files, recover
from miscope.index.place import quoted, readable
from miscope.index.presence import forget_lost, list_present, lost, unknown
from miscope.index.schema import SCHEMA, TABLES, create, derive, show_snapshot, show_tail, show_union
from miscope.index.survey import Survey, newer, survey
from miscope.index.tail import fill_metrics, fill_variants, misplaced, read_lines
from miscope.store.process_identity import is_alive

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from miscope.store.layout import Layout
    from miscope.store.store import Store

__all__ = ["COVERAGE", "show_all"]

COVERAGE = {"ledgers": "BIGINT", "records": "VARCHAR", "metrics": "VARCHAR", "files": "VARCHAR"}
"""What a snapshot says it takes account of, as in a Survey, and the type of its states."""

_TAIL_BYTES = 4 * 2**20
_TAIL_SHARE = 100
"""Ledger bytes beyond the snapshot above which a new one is published: so many, or this part of what it covers."""
_TAIL_VARIANTS = 32
"""Variants with new metrics, records or files above which a new one is published."""


def show_all(database: DuckDBPyConnection, store: Store, *, anew: bool) -> bool:
    """Let every table's name stand for all there is now; whether it is time to publish that.

    anew: of the files alone, whatever is published.
    """
    with readable(store.layout) as (layout, snapshot):
        now = survey(layout)
        covered = None if anew else _attached(database, snapshot)
        if covered is not None and _something_is_gone(database, store, layout, now, covered):
            # Only the files can say what went with it.
            database.execute("DETACH snapshot")
            covered = None
        return _show_now(database, store, layout, now, covered)


def _something_is_gone(
    database: DuckDBPyConnection, store: Store, layout: Layout, now: Survey, covered: Survey
) -> bool:
    """Whether anything the snapshot holds is there no more, or is another variant's now."""
    if not (covered.records.keys() <= now.records.keys() and covered.files.keys() <= now.files.keys()):
        return True
    changed = newer(now, covered)
    if changed.files:
        list_present(database, layout, changed.files)
    return (bool(changed.files) and lost(database)) or bool(misplaced(store, changed.records))


def _show_now(database: DuckDBPyConnection, store: Store, layout: Layout, now: Survey, covered: Survey | None) -> bool:
    changed = newer(now, covered or Survey())
    others = misplaced(store, now.records if covered is None else {**changed.metrics, **changed.files})
    database.execute("CREATE SCHEMA tail")
    create(database, "tail")
    ends = read_lines(database, layout.ledger, changed.ledgers)
    if covered is None:
        list_files(database, layout, now.files.keys() - others)
        forget_absent(database)
        recover(database, layout, snapshot=False)
    elif changed.files:
        list_present(database, layout, changed.files.keys() - others)
        forget_lost(database)
    bad = fill_metrics(database, layout, changed.metrics, others)
    fill_variants(database, store, {**changed.records, **changed.metrics}, bad)
    derive(database)
    _show(database, changed, snapshot=covered is not None)
    recovered = covered is not None and _recover_unnoted(database, layout, now, changed)
    read = replace(
        now,
        ledgers={**(covered or Survey()).ledgers, **ends},
        # Looked at again the next time: a file that is put back may have the time and size of the damaged one.
        metrics={name: state for name, state in now.metrics.items() if name not in bad},
    )
    _mark_interrupted(database)
    _note_coverage(database, read)
    return covered is None or recovered or _large(changed, read)


def _recover_unnoted(database: DuckDBPyConnection, layout: Layout, now: Survey, changed: Survey) -> bool:
    """Add what lies in folders and no ledger says: of runs that were killed, and of folders copied here."""
    again = now.files.keys() & (_mark_interrupted(database) | (unknown(database) if changed.files else set()))
    if not again:
        return False
    list_files(database, layout, again)
    recover(database, layout, snapshot=True)
    derive(database)
    _show(database, replace(changed, ledgers={"recovered": 0}), snapshot=True)
    return True


def _attached(database: DuckDBPyConnection, path: Path) -> Survey | None:
    """What the snapshot covers, once it is attached; None if there is none one can read.

    A file that another program holds open for writing is as good as none: the next one takes its name.
    """
    import duckdb

    if not path.exists():
        return None
    try:
        database.execute(f"ATTACH '{quoted(path)}' AS snapshot (READ_ONLY)")
    except duckdb.Error:
        return None
    try:
        if database.execute("FROM snapshot.coverage.format").fetchall() == [(SCHEMA,)]:
            return Survey(**{p: dict(database.execute(f"FROM snapshot.coverage.{p}").fetchall()) for p in COVERAGE})
    except duckdb.Error:
        pass
    database.execute("DETACH snapshot")
    return None


def _note_coverage(database: DuckDBPyConnection, covered: Survey) -> None:
    """Keep what the views take account of, for the snapshot they may become."""
    for name, kind in COVERAGE.items():
        held = getattr(covered, name)
        database.execute(
            f"CREATE TABLE tail.covered_{name} AS SELECT unnest(?::VARCHAR[]) AS name, unnest(?::{kind}[]) AS state",
            [list(held), list(held.values())],
        )


def _mark_interrupted(database: DuckDBPyConnection) -> set[str]:
    """Show the runs as interrupted whose process is gone; the variants they worked on."""
    running = database.execute("SELECT run, variant, host, pid, born FROM runs WHERE state = 'running'").fetchall()
    dead = {run: variant for run, variant, host, pid, born in running if not is_alive(host, pid, born)}
    if dead:
        database.execute("CREATE OR REPLACE TABLE tail.settled AS FROM runs")
        database.execute("UPDATE tail.settled SET state = 'interrupted' WHERE list_contains(?, run)", [list(dead)])
        database.execute("CREATE OR REPLACE VIEW main.runs AS FROM tail.settled")
    return set(dead.values())


def _show(database: DuckDBPyConnection, changed: Survey, *, snapshot: bool) -> None:
    touched: Mapping[str, Mapping[str, object]] = {
        "variants": {**changed.records, **changed.metrics},
        "metrics": changed.metrics,
        **dict.fromkeys(("runs", "checkpoints", "artifacts", "scalars"), changed.ledgers),
    }
    for table in TABLES:
        show = show_tail if not snapshot else show_union if touched[table] else show_snapshot
        show(database, table)


def _large(changed: Survey, read: Survey) -> bool:
    tail = sum(read.ledgers[name] - begin for name, begin in changed.ledgers.items())
    bound = max(_TAIL_BYTES, sum(read.ledgers.values()) // _TAIL_SHARE)
    return tail > bound or max(len(changed.metrics), len(changed.records), len(changed.files)) > _TAIL_VARIANTS
