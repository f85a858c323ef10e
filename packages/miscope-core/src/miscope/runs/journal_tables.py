"""How the queue's file keeps its journal: a table, and triggers that write whatever happens to a run into it.

Triggers, so that a change and what is noted of it are one transaction, whoever makes the change.
"""

from __future__ import annotations

__all__ = ["JOURNAL"]

_NOW = "(julianday('now') - 2440587.5) * 86400.0"
_COLUMNS = "(run, seq, ts, event, before, state, reached, error)"
_BUSIEST = 10
"""Events of a run in a second are fewer. So one that was made anew goes on behind all that it could have had."""


def _noted(event: str, *, before: str = "old.state", where: str = "1") -> str:
    return (
        f"INSERT INTO events {_COLUMNS} SELECT new.id, max(seq) + 1, {_NOW}, '{event}', {before},"
        f" new.state, new.reached, new.error FROM events WHERE run = new.id AND {where} GROUP BY run;"
    )


def _trigger(name: str, of: str, when: str, *does: str) -> str:
    return f"CREATE TRIGGER IF NOT EXISTS {name} AFTER {of} ON runs WHEN {when} BEGIN {' '.join(does)} END;\n"


_TABLE = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (id),
    seq INTEGER NOT NULL,
    ts REAL NOT NULL,
    event TEXT NOT NULL,
    before TEXT,
    state TEXT NOT NULL,
    reached TEXT NOT NULL,
    error TEXT NOT NULL,
    UNIQUE (run, seq)
);
"""
"""seq: of one run's events, ascending. Of progress the last alone is kept: the metrics' files have all of it."""

_CREATED = f"""
INSERT INTO events {_COLUMNS} VALUES (new.id, 1 + max(0, CAST({_BUSIEST} * ({_NOW} - new.created) AS INTEGER)),
    {_NOW}, 'created', NULL, new.state, new.reached, new.error);
"""

_SAVED = """json_extract(new.reached, '$.checkpoint') IS NOT NULL
    AND json_extract(new.reached, '$.checkpoint') IS NOT json_extract(old.reached, '$.checkpoint')"""

_TRIGGERS = (
    _trigger("run_created", "INSERT", "1", _CREATED, _noted("status", before="NULL", where="new.state <> 'pending'"))
    + _trigger("run_moved", "UPDATE OF state", "new.state <> old.state", _noted("status"))
    + _trigger("run_put_elsewhere", "UPDATE OF priority", "new.priority <> old.priority", _noted("priority"))
    + _trigger(
        "run_labelled",
        "UPDATE OF name, notes, tags",
        "(new.name, new.notes, new.tags) <> (old.name, old.notes, old.tags)",
        _noted("labels"),
    )
    + _trigger("run_deleted", "UPDATE OF deleted", "new.deleted > old.deleted", _noted("deleted"))
    + _trigger("run_restored", "UPDATE OF deleted", "new.deleted < old.deleted", _noted("restored"))
    + _trigger(
        "run_advanced",
        "UPDATE OF reached",
        "new.reached <> old.reached",
        _noted("checkpoint", where=_SAVED),
        _noted("progress"),
        "DELETE FROM events WHERE run = new.id AND event = 'progress'"
        " AND seq < (SELECT max(seq) FROM events WHERE run = new.id);",
    )
)

_BEFORE_THERE_WAS_ONE = f"""
INSERT INTO events {_COLUMNS} SELECT id, 1, created, 'created', NULL, 'pending', '{{}}', '' FROM runs
    WHERE id NOT IN (SELECT run FROM events);
INSERT INTO events {_COLUMNS}
    SELECT id, 2, coalesce(ended, started, created), 'status', 'pending', state, reached, error FROM runs
    WHERE state <> 'pending' AND NOT EXISTS (SELECT 1 FROM events WHERE run = runs.id AND seq > 1);
"""
"""What is known of runs that are older than the journal."""

JOURNAL = _TABLE + _BEFORE_THERE_WAS_ONE + _TRIGGERS
