"""The queue: runs that were asked for, each in one state, moved from state to state in one transaction each."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, final

from miscope.commands import in_workspace
from miscope.errors import BadValue, UnknownName
from miscope.request import Request, read_request
from miscope.runs.database import Database
from miscope.runs.queued_run import Place, QueuedRun, Reached
from miscope.runs.run_errors import WrongState
from miscope.runs.run_folder import RunFolder
from miscope.runs.run_labels import RunLabels
from miscope.runs.run_state import ACTIVE, ALLOWED, ENDED, NEXT, Action, RunState
from miscope.store.layout import Layout
from miscope.store.process_identity import ProcessIdentity
from miscope.train_request import TrainRequest

__all__ = ["RunQueue"]

_OF_ANOTHER_ATTEMPT = """CASE WHEN json_extract(reached, '$.rate') IS NULL AND json_extract(reached, '$.eta') IS NULL
    THEN reached ELSE json_set(reached, '$.rate', NULL, '$.eta', NULL) END"""
"""How far it is, without how fast it went."""

_TRAINED_BY_NOBODY_ELSE = f"""(runs.trains = '' OR NOT EXISTS (
    SELECT 1 FROM runs AS other WHERE other.trains = runs.trains AND other.id <> runs.id
    AND other.state IN ({", ".join(f"'{state}'" for state in sorted(ACTIVE))})))"""


@final
class RunQueue:
    """All runs of a workspace; safe to use from several threads and processes of one machine."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(Path(root))
        self.database = Database(self.layout.queue, self.layout.runs)

    def submit(self, request: Request, *, what: str, place: Place | None = None) -> QueuedRun:
        """Put it at its place in the queue.

        what: the variant to train, or the variants to analyze in short. Raises UnknownName where it needs a run that
        there is not.
        """
        place = place or Place()
        for needed in place.needs:
            self.run(needed)
        with self.database.transaction() as connection:
            trains = what if isinstance(request, TrainRequest) else ""
            values = (request.model_dump_json(), what, trains, RunState.PENDING, time.time())
            number = connection.execute(
                "INSERT INTO runs (request, what, trains, state, created, priority, retry_of, attempt)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*values, place.priority, place.retry_of, place.attempt),
            ).lastrowid
            assert number is not None
            connection.executemany("INSERT INTO needs VALUES (?, ?)", [(number, each) for each in set(place.needs)])
            run = _read(connection.execute, "id = ?", [number])[0]
            RunFolder(self.layout, number).write_asked(run)
        return run

    def run(self, number: int) -> QueuedRun:
        """The run of that number; UnknownName where there is none."""
        found = self._selected("id = ?", [number])
        if not found:
            known = [str(row["id"]) for row in self.database.rows("SELECT id FROM runs WHERE NOT deleted")]
            listing = f"`{in_workspace(self.layout.root, 'miscope runs list')}` has them all."
            raise UnknownName("run", number, known, listing=listing)
        return found[0]

    def runs(
        self, states: Collection[RunState] | None = None, *, group: str | None = None, deleted: bool = False
    ) -> list[QueuedRun]:
        """All of them, or those in these states and of this study, in the order in which they were asked for."""
        wanted = frozenset(RunState) if states is None else states
        marks = ", ".join("?" * len(wanted))
        of_group, named = ("", []) if group is None else (" AND json_extract(request, '$.group') = ?", [group])
        return self._selected(f"deleted = ? AND state IN ({marks}){of_group}", [deleted, *wanted, *named])

    def every(self) -> dict[int, QueuedRun]:
        """All by their numbers, the deleted ones too."""
        return {run.id: run for run in self._selected("1")}

    def ready(self) -> list[QueuedRun]:
        """Those that could begin now, the next one first: nothing that they need is left, nobody trains the variant."""
        return self._selected(
            f"""state = 'pending' AND NOT deleted AND {_TRAINED_BY_NOBODY_ELSE}
            AND NOT EXISTS (SELECT 1 FROM needs JOIN runs AS other ON other.id = needs.needed
                            WHERE needs.run = runs.id AND other.state <> 'completed')""",
            order="priority DESC, id",
        )

    def busy(self) -> bool:
        """Whether something could begin now, or was begun on this machine and has not ended."""
        return bool(self.ready()) or any(run.here for run in self.runs(ACTIVE))

    def unfinished_on(self, variant: str) -> list[QueuedRun]:
        """Runs that have not ended and train the variant or analyze it."""
        runs = self.runs(frozenset(RunState) - ENDED)
        return [run for run in runs if variant in (run.what, *getattr(run.request, "variants", ()))]

    def needed_by(self, number: int) -> list[int]:
        """Runs that wait for this one."""
        sql = "SELECT run FROM needs JOIN runs ON runs.id = run WHERE needed = ? AND state = 'pending' ORDER BY run"
        return [row["run"] for row in self.database.rows(sql, [number])]

    def claim(self, number: int, process: ProcessIdentity) -> QueuedRun | None:
        """The run, which this process works on from now; None where it is pending no longer, or another trains it."""
        with self.database.transaction() as connection:
            changed = connection.execute(
                f"""UPDATE runs SET state = 'running', host = ?, pid = ?, born = ?, started = ?, ended = NULL,
                    turn = turn + 1, acknowledged = 0, save = 0, error = ''
                WHERE id = ? AND state = 'pending' AND NOT deleted AND {_TRAINED_BY_NOBODY_ELSE}""",
                (process.host, process.pid, process.born, time.time(), number),
            ).rowcount
            if not changed:
                return None
            # By itself, after that: which of two triggers a single change fires first, SQLite leaves open.
            connection.execute(f"UPDATE runs SET reached = {_OF_ANOTHER_ATTEMPT} WHERE id = ?", (number,))
            run = _read(connection.execute, "id = ?", [number])[0]
            RunFolder(self.layout, number).write_process(process, run.turn)
            return run

    def reach(self, number: int, reached: Reached, saved: Sequence[int] = ()) -> None:
        """Write down how far it is. saved: steps of all checkpoints since this was last said, the last too."""
        with self.database.transaction() as connection:
            for stage in (*(replace(reached, checkpoint=step) for step in saved), reached):
                text = json.dumps(asdict(stage))
                connection.execute("UPDATE runs SET reached = ? WHERE id = ?", (text, number))

    def move(self, number: int, state: RunState, error: str = "", *, within: Collection[RunState] = ()) -> QueuedRun:
        """Have the run in that state; WrongState where it is in one that this does not follow.

        within: only from these of them. A run that ended leaves word of it in its folder.
        """
        sources = {each for each in RunState if state in NEXT[each] and (not within or each in within)}
        with self.database.transaction() as connection:
            before = self._there(connection, number)
            if before.deleted and state is RunState.PENDING:
                raise self._deleted(number)
            if before.state not in sources:
                raise WrongState(number, before.state, f"become {state}", sources, _actions(before.state))
            ended = None if state in (RunState.PENDING, *ACTIVE) else time.time()
            connection.execute(
                "UPDATE runs SET state = ?, error = ?, ended = ?, acknowledged = 0 WHERE id = ?",
                (state, error, ended, number),
            )
            if state not in ACTIVE:
                connection.execute("UPDATE runs SET pid = NULL, born = NULL WHERE id = ?", (number,))
                RunFolder(self.layout, number).write_ended(None if state is RunState.PENDING else state, error)
            return _read(connection.execute, "id = ?", [number])[0]

    def acknowledge(self, number: int) -> None:
        """Note that the run's process knows that it is to stop."""
        with self.database.transaction() as connection:
            connection.execute("UPDATE runs SET acknowledged = 1 WHERE id = ?", (number,))

    def ask_save(self, number: int) -> None:
        """Ask a running training for a checkpoint now."""
        with self.database.transaction() as connection:
            connection.execute("UPDATE runs SET save = save + 1 WHERE id = ?", (number,))

    def prioritize(self, number: int, priority: int) -> QueuedRun:
        """Have it begin before those of lesser priority; the run, which may have begun or ended already."""
        with self.database.transaction() as connection:
            self._there(connection, number)
            connection.execute("UPDATE runs SET priority = ? WHERE id = ?", (priority, number))
            run = _read(connection.execute, "id = ?", [number])[0]
            RunFolder(self.layout, number).write_asked(run)
        return run

    def label(self, number: int, **changes: Any) -> QueuedRun:
        """Have it called so, or these be its notes or tags: fields of its RunLabels. BadValue where they cannot be."""
        with self.database.transaction() as connection:
            labels = replace(self._there(connection, number).labels, **changes)
            values = (labels.name, labels.notes, json.dumps(labels.tags), number)
            connection.execute("UPDATE runs SET name = ?, notes = ?, tags = ? WHERE id = ?", values)
            run = _read(connection.execute, "id = ?", [number])[0]
            RunFolder(self.layout, number).write_asked(run)
        return run

    def hide(self, number: int, *, deleted: bool) -> None:
        """Take it out of every listing, or put it back; WrongState for one that has not ended."""
        with self.database.transaction() as connection:
            state = self._there(connection, number).state
            if deleted and state not in ENDED:
                raise WrongState(number, state, Action.DELETE, ENDED, _actions(state))
            connection.execute("UPDATE runs SET deleted = ? WHERE id = ?", (deleted, number))
            RunFolder(self.layout, number).write_deleted(deleted)

    def wait_for_another(self, number: int, other: int) -> None:
        """Have what waits for the one wait for the other."""
        with self.database.transaction() as connection:
            behind = "id IN (SELECT run FROM needs WHERE needed = ?)"
            waiting = [run.id for run in _read(connection.execute, behind, [number])]
            connection.execute("UPDATE OR IGNORE needs SET needed = ? WHERE needed = ?", (other, number))
            for each in waiting:
                run = _read(connection.execute, "id = ?", [each])[0]
                RunFolder(self.layout, each).write_asked(run)

    def permitted(self, number: int, action: Action) -> QueuedRun:
        """The run, of which this may be asked as it stands; WrongState otherwise."""
        run = self.run(number)
        if run.deleted and action is not Action.DELETE:
            raise self._deleted(number)
        if run.state not in ALLOWED[action]:
            raise WrongState(number, run.state, action, ALLOWED[action], _actions(run.state))
        return run

    def _deleted(self, number: int) -> BadValue:
        again = in_workspace(self.layout.root, f"miscope runs restore {number}")
        return BadValue(
            f"Run {number} is deleted.", "Nothing is done with it while it is.", f"To put it back:  {again}"
        )

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    def _there(self, connection: sqlite3.Connection, number: int) -> QueuedRun:
        found = _read(connection.execute, "id = ?", [number])
        return found[0] if found else self.run(number)

    def _selected(self, condition: str, values: Iterable[object] = (), order: str = "id") -> list[QueuedRun]:
        return _read(self.database.rows, condition, values, order)


def _actions(state: RunState) -> list[str]:
    """What may be asked of a run in that state."""
    return [action.value for action, states in ALLOWED.items() if state in states]


def _read(
    asked: Callable[[str, Sequence[object]], Iterable[sqlite3.Row]],
    condition: str,
    values: Iterable[object] = (),
    order: str = "id",
) -> list[QueuedRun]:
    """The runs of which that is true; asked: answers one SELECT."""
    values = [*values]
    rows = list(asked(f"SELECT * FROM runs WHERE {condition} ORDER BY {order}", values))
    needs: dict[int, list[int]] = {}
    of_these = f"SELECT * FROM needs WHERE run IN (SELECT id FROM runs WHERE {condition}) ORDER BY needed"
    for row in asked(of_these, values) if rows else ():
        needs.setdefault(row["run"], []).append(row["needed"])
    return [_run_of(row, needs.get(row["id"], ())) for row in rows]


def _run_of(row: sqlite3.Row, needs: Iterable[int]) -> QueuedRun:
    known: Mapping[str, object] = {name: row[name] for name in ("created", "started", "ended", "pid", "born", "host")}
    return QueuedRun(
        id=row["id"],
        request=read_request(row["request"]),
        what=row["what"],
        state=RunState(row["state"]),
        place=Place(priority=row["priority"], needs=tuple(needs), retry_of=row["retry_of"], attempt=row["attempt"]),
        reached=Reached(**json.loads(row["reached"])),
        acknowledged=bool(row["acknowledged"]),
        save=row["save"],
        turn=row["turn"],
        error=row["error"],
        deleted=bool(row["deleted"]),
        labels=_labels_of(row),
        **known,  # pyright: ignore[reportArgumentType]
    )


def _labels_of(row: sqlite3.Row) -> RunLabels:
    """A file that may only be read may be older than they are."""
    if "tags" not in row.keys():  # noqa: SIM118 - a row is a sequence of values
        return RunLabels()
    return RunLabels(name=row["name"], notes=row["notes"], tags=tuple(json.loads(row["tags"])))
