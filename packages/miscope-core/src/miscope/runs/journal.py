"""What happened to runs, in order: the queue's file notes each change, and whoever was away reads what was missed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.runs.queued_run import Reached
from miscope.runs.run_state import RunState

if TYPE_CHECKING:
    from miscope.runs.database import Database

__all__ = ["Journal", "Noted"]

_AT_ONCE = 500


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One change of one run."""

    id: int
    """Of all changes of all runs, ascending."""
    run: int
    seq: int
    """Of the changes of this run, ascending; it stays what it is for good."""
    ts: float
    """When it was, in seconds of the epoch."""
    event: str
    """'created', 'status', 'checkpoint', 'progress', 'priority', 'labels', 'deleted' or 'restored'."""
    before: RunState | None
    """Its state before; None where nothing was before."""
    state: RunState
    reached: Reached
    error: str


@final
class Journal:
    """Of one queue. Of a run's progress only the last is kept, everything else for good."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def born(self) -> float | None:
        """When it was begun, which tells a queue that was made anew from the one before; None while it is empty."""
        first = self._database.rows("SELECT ts FROM events ORDER BY id LIMIT 1")
        return first[0]["ts"] if first else None

    def newest(self) -> int:
        """`id` of the last change; 0 where there is none."""
        rows = self._database.rows("SELECT max(id) AS newest FROM events")
        return (rows[0]["newest"] or 0) if rows else 0

    def after(self, id: int, runs: Collection[int] = ()) -> list[Noted]:
        """What came after that change, of these runs or of all."""
        marks = f" AND run IN ({', '.join('?' * len(runs))})" if runs else ""
        rows = self._database.rows(f"SELECT * FROM events WHERE id > ?{marks} ORDER BY id", [id, *runs])
        return [_noted(row) for row in rows]

    def of(self, run: int, since: int = 0, most: int = _AT_ONCE) -> list[Noted]:
        """What happened to the run after that `seq`, from the earliest, at most so much of it."""
        sql = "SELECT * FROM events WHERE run = ? AND seq > ? ORDER BY seq LIMIT ?"
        return [_noted(row) for row in self._database.rows(sql, [run, since, most])]

    def knows(self, run: int, seq: int) -> bool:
        """Whether that change of the run is one of those since the journal was begun."""
        rows = self._database.rows("SELECT min(seq) AS first, max(seq) AS last FROM events WHERE run = ?", [run])
        return bool(rows) and rows[0]["first"] is not None and rows[0]["first"] <= seq <= rows[0]["last"]


def _noted(row: sqlite3.Row) -> Noted:
    return Noted(
        id=row["id"],
        run=row["run"],
        seq=row["seq"],
        ts=row["ts"],
        event=row["event"],
        before=None if row["before"] is None else RunState(row["before"]),
        state=RunState(row["state"]),
        reached=Reached(**json.loads(row["reached"])),
        error=row["error"],
    )
