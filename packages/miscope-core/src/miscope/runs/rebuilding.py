"""Make the queue anew from the runs' folders and the ledger, where its file is damaged or gone."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.runs.database import is_whole, numbered
from miscope.runs.queued_run import QueuedRun, Reached
from miscope.runs.reconciling import ending_in_ledger, turns_in_ledger
from miscope.runs.run_folder import RunFolder
from miscope.runs.run_state import RunState
from miscope.store.process_identity import is_alive
from miscope.train_request import TrainRequest

if TYPE_CHECKING:
    from miscope.runs.run_queue import RunQueue
    from miscope.store.ledger import Ledger

__all__ = ["mend", "rebuild"]

_SIDES = ("", "-wal", "-shm")


def mend(queue: RunQueue, ledger: Ledger) -> Iterator[str]:
    """Rebuild the queue if its file is damaged, or gone where runs are; a line that says so. For the supervisor."""
    if queue.database.lost or not is_whole(queue.layout.queue):
        yield from rebuild(queue, ledger)


def rebuild(queue: RunQueue, ledger: Ledger) -> Iterator[str]:
    """Put the queue's file aside and write it anew: each run in the state that its folder and the ledger say.

    What is lost is how far a run was, which its process says again. For the supervisor alone.
    """
    queue.close()
    aside = _put_aside(queue.layout.queue)
    unread = []
    with queue.database.transaction(anew=True) as connection:
        # No run gets the number of another, not even that of one which cannot be read.
        last = max(numbered(queue.layout.runs), default=0)
        connection.execute("INSERT INTO sqlite_sequence VALUES ('runs', ?)", (last,))
        for number in numbered(queue.layout.runs):
            run = _run_of(RunFolder(queue.layout, number), ledger)
            if run is None:
                unread.append(number)
            else:
                _insert(connection, run)
    count = len(queue.runs()) + len(queue.runs(deleted=True))
    kept = f" The damaged one is kept: {aside.name}." if aside else ""
    yield f"The queue was made anew from the runs' folders and the ledger, with {count} runs.{kept}"
    for number in unread:
        yield f"What run {number} was asked for cannot be read: {RunFolder(queue.layout, number).path}."


def _put_aside(path: Path) -> Path | None:
    """The damaged file with its log under another name; None where there was none."""
    if not path.exists():
        return None
    name = f"{path.name}.damaged-{secrets.token_hex(3)}"
    for side in _SIDES:
        file = path.with_name(path.name + side)
        if file.exists():
            file.rename(path.with_name(name + side))
    return path.with_name(name)


def _run_of(folder: RunFolder, ledger: Ledger) -> QueuedRun | None:
    """The run as its folder has it, in the state that it is in; None where it cannot be read."""
    asked = folder.asked()
    if asked is None:
        return None
    ended, working = folder.ended(), folder.process()
    turns = turns_in_ledger(ledger, folder.number)
    run = QueuedRun(
        id=folder.number,
        request=asked.request,
        what=asked.what,
        state=RunState.PENDING,
        place=asked.place,
        reached=Reached(),
        created=asked.created,
        turn=working[1] if working else max((turn.turn for turn in turns), default=0),
        deleted=folder.deleted,
        labels=asked.labels,
    )
    if ended is not None:
        return replace(run, state=ended[0], error=ended[1], ended=ended[2])
    if working is None:
        return run
    process = working[0]
    if is_alive(process.host, process.pid, process.born):
        return replace(run, state=RunState.RUNNING, host=process.host, pid=process.pid, born=process.born)
    state, error = ending_in_ledger(ledger, run, "Its process is gone.")
    return replace(run, state=state, error=error, ended=time.time())


def _insert(connection: sqlite3.Connection, run: QueuedRun) -> None:
    place = run.place
    trains = run.what if isinstance(run.request, TrainRequest) else ""
    values = {
        "id": run.id,
        "request": run.request.model_dump_json(),
        "what": run.what,
        "trains": trains,
        "state": run.state,
        "priority": place.priority,
        "retry_of": place.retry_of,
        "attempt": place.attempt,
        "created": run.created,
        "ended": run.ended,
        "host": run.host,
        "pid": run.pid,
        "born": run.born,
        "turn": run.turn,
        "error": run.error,
        "deleted": run.deleted,
        "name": run.labels.name,
        "notes": run.labels.notes,
        "tags": json.dumps(run.labels.tags),
    }
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(f"INSERT INTO runs ({', '.join(values)}) VALUES ({marks})", values)
    connection.executemany("INSERT OR IGNORE INTO needs VALUES (?, ?)", [(run.id, needed) for needed in place.needs])
