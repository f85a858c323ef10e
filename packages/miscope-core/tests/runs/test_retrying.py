"""A run that is asked for once more: begun again, with another seed, or gone on with where that is sound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.bound import BoundWorkspace, open_bound
from miscope.errors import BadValue
from miscope.runs.queued_run import Place
from miscope.runs.rebuilding import rebuild
from miscope.runs.retrying import RetryMode, resume_at, retry_as
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.runs.submitting import submit
from miscope.testing import tables
from miscope.train_request import TrainRequest

NAME = "toy.sum/v5-seed0-width16"


@pytest.fixture
def ws(tmp_path: Path) -> BoundWorkspace:
    return open_bound(tmp_path / "ws", tables())


@pytest.fixture
def queue(ws: BoundWorkspace) -> RunQueue:
    """A stopped training, and an analysis that waits for it."""
    queue = RunQueue(ws.value.root)
    training = submit(ws.value, queue, TrainRequest(family="toy.sum"), Place(priority=2))
    submit(ws.value, queue, AnalyzeRequest(variants=(NAME,)), Place(needs=(training.id,)))
    queue.move(training.id, RunState.STOPPED)
    return queue


def test_a_training_begins_again_at_step_0_or_goes_on(ws, queue):
    again = retry_as(ws.value, queue, 1, mode=RetryMode.FROM_SCRATCH)
    assert (again.request.resume, again.what, again.place.retry_of, again.place.attempt) == (False, NAME, 1, 2)
    assert (again.place.priority, queue.run(2).place.needs) == (2, (again.id,))
    queue.move(again.id, RunState.CANCELLED)
    assert retry_as(ws.value, queue, again.id, mode=RetryMode.FROM_LAST_CHECKPOINT).request.resume


def test_a_training_of_another_seed_is_of_another_variant_and_what_waited_waits_on(ws, queue):
    again = retry_as(ws.value, queue, 1, seed=7)
    assert (again.what, again.request.params, again.place.retry_of) == ("toy.sum/v5-seed7-width16", {"seed": 7}, 1)
    assert queue.run(2).place.needs == (1,)


def test_an_analysis_has_no_seed_and_begins_nowhere(ws, queue):
    queue.move(2, RunState.CANCELLED)
    assert retry_as(ws.value, queue, 2).place.retry_of == 2
    with pytest.raises(BadValue) as refusal:
        retry_as(ws.value, queue, 2, seed=3)
    assert str(refusal.value) == (
        "Run 2 is an analysis.\nOnly a training begins somewhere, and has a seed.\n"
        "Retry it without a mode and without a seed."
    )


def test_a_run_goes_on_from_its_last_step_and_from_no_earlier_one(ws, queue):
    with pytest.raises(BadValue) as refusal:
        resume_at(ws.value, queue, 1, 0)
    assert str(refusal.value) == (
        "Run 1 does not go on from step 0.\nIt has saved none.\nResume it without a step, or retry it from_scratch."
    )
    list(ws.variant("toy.sum").train(threads=1, steps=20))
    with pytest.raises(BadValue) as refusal:
        resume_at(ws.value, queue, 1, 10)
    assert str(refusal.value) == (
        "Run 1 does not go on from step 10.\nIt goes on from step 20, its last: checkpoints after an earlier one would "
        "be written anew, and what was computed of them would stay.\n"
        "Resume it without a step, or retry it from_scratch."
    )
    assert resume_at(ws.value, queue, 1, 20).state is RunState.PENDING


def test_a_run_is_put_before_others_and_stays_there_when_the_queue_is_made_anew(ws, queue):
    later = submit(ws.value, queue, TrainRequest(family="toy.sum", params={"seed": 1}))
    assert queue.prioritize(later.id, 9).place.priority == 9
    assert [run.id for run in queue.ready()] == [later.id]
    list(rebuild(queue, ws.value.ledger))
    assert queue.run(later.id).place.priority == 9


def test_the_command_line_retries_from_scratch_with_a_seed_and_sets_a_priority(command, offer, ws, queue, monkeypatch):
    monkeypatch.setattr("miscope.runs.supervisor.start_supervisor", lambda root: 0)
    offer("toy", "miscope.testing.toy")
    where = ("--workspace", ws.value.root, "--json")
    code, out, err = command("runs", "retry", "1", "--from-scratch", "--seed", "4", *where)
    assert code == 0, err
    run = json.loads(out)[0]["run"]
    assert (run["what"], run["request"]["resume"], run["retry_of"]) == ("toy.sum/v5-seed4-width16", False, 1)
    code, out, err = command("runs", "priority", run["id"], "8", *where)
    assert (code, json.loads(out)["priority"]) == (0, 8), err
