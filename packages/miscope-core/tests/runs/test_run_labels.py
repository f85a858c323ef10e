"""Names, notes and tags of runs: changed, kept over the loss of the queue's file, and added to files of before."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from miscope.errors import BadValue
from miscope.runs.journal import Journal
from miscope.runs.queued_run import Reached
from miscope.runs.rebuilding import rebuild
from miscope.runs.run_labels import RunLabels
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.ledger import Ledger
from miscope.store.process_identity import this_process
from miscope.train_request import TrainRequest


@pytest.fixture
def queue(tmp_path: Path) -> RunQueue:
    """With two trainings, the first of them under way."""
    made = RunQueue(tmp_path)
    for seed in (0, 1):
        made.submit(TrainRequest(family="toy.sum", params={"seed": seed}), what=f"toy.sum/v5-seed{seed}-width16")
    made.claim(1, this_process())
    made.reach(1, Reached(done=3, total=30))
    return made


def test_what_is_given_changes_and_the_rest_stays_whatever_state_the_run_is_in(queue: RunQueue) -> None:
    queue.label(1, name="baseline", tags=("paper", "a"))
    assert queue.label(1, notes="of the\nold split").labels == RunLabels(
        name="baseline", notes="of the\nold split", tags=("paper", "a")
    )
    assert (queue.run(1).facts()["name"], queue.run(1).facts()["tags"]) == ("baseline", ("paper", "a"))
    assert queue.label(1, tags=()).labels.tags == ()
    assert (queue.run(1).state, queue.run(2).labels) == (RunState.RUNNING, RunLabels())
    assert [each.event for each in Journal(queue.database).of(1)][3:] == ["labels"] * 3
    queue.label(1, tags=())
    assert len(Journal(queue.database).of(1)) == 6


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"name": "a\nb"},
            "That cannot be the name of a run.\nIt has at most 255 characters on one line, and none of them is NUL.",
        ),
        ({"name": "  "}, "That cannot be the name of a run.\nIt has nothing but spaces."),
        (
            {"notes": "\0"},
            "That cannot be the notes of a run.\nIt has at most 10,000 characters, and none of them is NUL.",
        ),
        (
            {"tags": ("x" * 65,)},
            "The tag 'xxxxxxxxxxxxxxxxxxxx…' has 65 characters.\nA tag has at most 64, on one line.",
        ),
        (
            {"tags": ("a", "a")},
            "These are no tags of a run.\nThere are at most 100, each of them once, and none is empty.",
        ),
        ({"tags": ("",)}, "These are no tags of a run.\nThere are at most 100, each of them once, and none is empty."),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_changed(queue: RunQueue, changes: Any, words: str) -> None:
    queue.label(1, name="before")
    with pytest.raises(BadValue) as refused:
        queue.label(1, **changes)
    assert str(refused.value).rpartition("\n")[0] == words
    assert queue.run(1).labels == RunLabels(name="before")


def test_they_outlive_the_queues_file(queue: RunQueue) -> None:
    labels = queue.label(2, name="baseline", notes="n", tags=("a",)).labels
    queue.prioritize(2, 5)
    list(rebuild(queue, Ledger(queue.layout.ledger)))
    assert (queue.run(1).labels, queue.run(2).labels) == (RunLabels(), labels)


def test_a_queue_of_before_gets_them_without_loss_while_an_older_supervisor_has_it_open(queue: RunQueue) -> None:
    before = queue.every()
    noted = Journal(queue.database).after(0)
    with sqlite3.connect(queue.layout.queue) as file:
        file.execute("DROP TRIGGER run_labelled")
        for name in ("name", "notes", "tags"):
            file.execute(f"ALTER TABLE runs DROP COLUMN {name}")
        file.execute("PRAGMA user_version = 2")
    for number in before:
        asked = queue.layout.run(number) / "run.json"
        asked.write_text(json.dumps({k: v for k, v in json.loads(asked.read_text()).items() if k != "labels"}))
    queue.close()
    opened_again = RunQueue(queue.layout.root)
    assert (opened_again.every(), Journal(opened_again.database).after(0)) == (before, noted)
    # What an older version has prepared it goes on to do: it names the columns that it writes.
    file.execute("UPDATE runs SET state = 'stopping', error = 'asked' WHERE id = 1")
    file.execute(
        "INSERT INTO runs (request, what, trains, state, created, priority, retry_of, attempt)"
        " SELECT request, what, trains, 'pending', created, 0, NULL, 1 FROM runs WHERE id = 2"
    )
    file.commit()
    assert [run.state.value for run in opened_again.runs()] == ["stopping", "pending", "pending"]
    assert opened_again.label(1, name="old").labels.name == "old"
    assert [each.event for each in Journal(opened_again.database).of(1)][-2:] == ["status", "labels"]
    list(rebuild(opened_again, Ledger(queue.layout.ledger)))
    assert opened_again.run(1).labels.name == "old"
    file.close()
