"""The journal: whatever happens to a run is noted once, under a number that stays, and outlives the queue's file."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from miscope.progress import Progress
from miscope.runs.journal import Journal
from miscope.runs.queued_run import Place, Reached
from miscope.runs.rebuilding import rebuild
from miscope.runs.reporter import Reporter
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.ledger import Ledger
from miscope.store.process_identity import this_process
from miscope.train_request import TrainRequest


@pytest.fixture
def queue(tmp_path: Path) -> RunQueue:
    return RunQueue(tmp_path)


def training(queue: RunQueue, seed: int = 0) -> int:
    request = TrainRequest(family="toy.sum", params={"seed": seed})
    return queue.submit(request, what=f"toy.sum/v5-seed{seed}-width16", place=Place()).id


def noted(queue: RunQueue, run: int = 1, since: int = 0) -> list[tuple[int, str, str]]:
    return [(each.seq, each.event, each.state.value) for each in Journal(queue.database).of(run, since)]


def test_each_change_of_a_run_is_noted_under_the_next_number_of_its_own(queue: RunQueue) -> None:
    for seed in (0, 1):
        training(queue, seed)
    queue.claim(1, this_process())
    queue.move(1, RunState.STOPPING, "It was asked to stop.")
    queue.move(1, RunState.STOPPED)
    queue.hide(1, deleted=True)
    queue.hide(1, deleted=False)
    assert noted(queue) == [
        (1, "created", "pending"),
        (2, "status", "running"),
        (3, "status", "stopping"),
        (4, "status", "stopped"),
        (5, "deleted", "stopped"),
        (6, "restored", "stopped"),
    ]
    assert noted(queue, 2) == [(1, "created", "pending")]
    journal = Journal(queue.database)
    assert [each.run for each in journal.after(0)] == [1, 2, 1, 1, 1, 1, 1]
    assert [each.run for each in journal.after(journal.newest() - 2, (2,))] == []


def test_a_run_that_goes_on_runs_before_its_progress_is_told(queue: RunQueue) -> None:
    training(queue)
    queue.claim(1, this_process())
    queue.reach(1, Reached(done=5, total=30, rate=2.0, eta=12.5))
    queue.move(1, RunState.STOPPING)
    queue.move(1, RunState.STOPPED)
    stopped = noted(queue)[-1][0]
    queue.move(1, RunState.PENDING)
    queue.claim(1, this_process())
    told = [each[1:] for each in noted(queue, since=stopped)]
    assert told == [("status", "pending"), ("status", "running"), ("progress", "running")]


def test_of_progress_the_last_is_kept_and_every_checkpoint(queue: RunQueue) -> None:
    training(queue)
    for done in range(5):
        queue.reach(1, Reached(done=done, total=30))
    queue.reach(1, Reached(done=20, total=30, checkpoint=20), saved=(10, 20))
    kept = [(7, "checkpoint", "pending"), (9, "checkpoint", "pending"), (10, "progress", "pending")]
    assert noted(queue, since=1) == kept
    assert [each.reached.checkpoint for each in Journal(queue.database).of(1, 1)] == [10, 20, 20]
    queue.reach(1, Reached(done=20, total=30, checkpoint=20), saved=(20,))
    assert noted(queue, since=1) == kept


def test_a_process_that_saves_faster_than_it_reports_leaves_out_no_checkpoint(queue: RunQueue) -> None:
    training(queue)
    run = queue.claim(1, this_process())
    assert run is not None
    with Reporter(queue, run, lambda: False) as reporter:
        for step in range(1, 21):
            reporter.step(Progress(step=step, total=20, checkpoint=Path(str(step))))
    saved = [each.reached.checkpoint for each in Journal(queue.database).of(1) if each.event == "checkpoint"]
    assert saved == list(range(1, 21))


def test_runs_from_before_there_was_a_journal_have_what_is_known_of_them(queue: RunQueue) -> None:
    for seed in (0, 1):
        training(queue, seed)
    queue.claim(1, this_process())
    queue.reach(1, Reached(done=30, total=30))
    queue.move(1, RunState.COMPLETED)
    queue.close()
    with sqlite3.connect(queue.layout.queue) as file:
        triggers = [row[0] for row in file.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")]
        for name in triggers:
            file.execute(f"DROP TRIGGER {name}")
        file.execute("DROP TABLE events")
        file.execute("PRAGMA user_version = 1")
    file.close()
    assert noted(queue) == [(1, "created", "pending"), (2, "status", "completed")]
    assert noted(queue, 2) == [(1, "created", "pending")]
    assert Journal(queue.database).of(1)[1].reached.done == 30
    queue.claim(2, this_process())
    assert noted(queue, 2) == [(1, "created", "pending"), (2, "status", "running")]


def test_a_queue_that_was_made_anew_numbers_on_behind_all_that_was_told_before(queue: RunQueue) -> None:
    training(queue)
    journal = Journal(queue.database)
    with queue.database.transaction() as connection:
        connection.execute("UPDATE runs SET created = created - 3600")
    queue.claim(1, this_process())
    queue.move(1, RunState.COMPLETED)
    asked = queue.layout.run(1) / "run.json"
    asked.write_text(json.dumps({**json.loads(asked.read_text()), "created": queue.run(1).created}))
    before, last = journal.born(), noted(queue)[-1][0]
    list(rebuild(queue, Ledger(queue.layout.ledger)))
    (first, *_), (second, *_) = noted(queue)
    assert (second, noted(queue)[1][1:]) == (first + 1, ("status", "completed"))
    assert first > 3600
    assert journal.born() != before
    assert [journal.knows(1, seq) for seq in (last, first, second, second + 1)] == [False, True, True, False]
