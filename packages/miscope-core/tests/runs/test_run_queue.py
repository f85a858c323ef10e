"""The queue: what was asked for comes in its turn, in one state at a time, whoever asks at the same moment."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.errors import BadFile, UnknownName
from miscope.runs.queued_run import Place, QueuedRun, Reached
from miscope.runs.run_errors import WrongState
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import ACTIVE, ENDED, NEXT, RunState
from miscope.store.process_identity import ProcessIdentity, this_process
from miscope.train_request import TrainRequest

NAME = "toy.sum/v5-seed0-width16"


@pytest.fixture
def queue(tmp_path: Path) -> RunQueue:
    return RunQueue(tmp_path)


def training(queue: RunQueue, seed: int = 0, **place: object) -> QueuedRun:
    request = TrainRequest(family="toy.sum", params={"seed": seed})
    return queue.submit(request, what=f"toy.sum/v5-seed{seed}-width16", place=Place(**place))  # type: ignore[arg-type]


def analysis(queue: RunQueue, **place: object) -> QueuedRun:
    return queue.submit(AnalyzeRequest(variants=(NAME,)), what=NAME, place=Place(**place))  # type: ignore[arg-type]


def claimed(queue: RunQueue, number: int) -> QueuedRun:
    run = queue.claim(number, this_process())
    assert run is not None
    return run


def test_a_workspace_without_runs_has_no_queue_file_and_is_asked_in_vain(queue: RunQueue) -> None:
    assert (queue.runs(), queue.ready(), queue.layout.queue.exists()) == ([], [], False)
    with pytest.raises(UnknownName) as refusal:
        queue.run(3)
    assert str(refusal.value) == (
        "There is no run 3, nor any other.\n"
        "They are numbered; none was asked for yet.\n"
        f"`miscope runs list --workspace {queue.layout.root}` has them all."
    )


def test_a_run_comes_back_from_another_process_as_it_was_asked_for(queue: RunQueue) -> None:
    first = training(queue, priority=2)
    second = analysis(queue, needs=(first.id,), retry_of=None, attempt=1)
    again = RunQueue(queue.layout.root)
    assert [again.run(first.id), again.run(second.id)] == [first, second]
    assert (second.place.needs, second.state, second.what, second.kind) == ((1,), RunState.PENDING, NAME, "analyze")


def test_a_run_cannot_need_one_that_is_not_there(queue: RunQueue) -> None:
    training(queue)
    with pytest.raises(UnknownName, match="There is no run 7"):
        training(queue, 1, needs=(7,))
    assert [run.id for run in queue.runs()] == [1]


def test_runs_begin_by_priority_and_then_in_the_order_in_which_they_were_asked_for(queue: RunQueue) -> None:
    for seed, priority in enumerate((0, 5, 0, 5, -1)):
        training(queue, seed, priority=priority)
    assert [run.id for run in queue.ready()] == [2, 4, 1, 3, 5]


def test_a_run_waits_until_every_one_that_it_needs_is_completed(queue: RunQueue) -> None:
    one, other = training(queue, 0), training(queue, 1)
    waiting = analysis(queue, needs=(one.id, other.id))
    for run in (one, other):
        assert waiting.id not in [each.id for each in queue.ready()]
        claimed(queue, run.id)
        queue.move(run.id, RunState.COMPLETED)
    assert [each.id for each in queue.ready()] == [waiting.id]


def test_two_trainings_of_one_variant_never_run_at_once_but_an_analysis_beside_one_may(queue: RunQueue) -> None:
    first, second, look = training(queue), training(queue), analysis(queue)
    claimed(queue, first.id)
    assert [run.id for run in queue.ready()] == [look.id]
    assert queue.claim(second.id, this_process()) is None
    queue.move(first.id, RunState.STOPPING)
    assert queue.claim(second.id, this_process()) is None
    queue.move(first.id, RunState.STOPPED)
    assert claimed(queue, second.id).state is RunState.RUNNING


def test_one_of_many_that_claim_a_run_at_the_same_moment_gets_it(queue: RunQueue) -> None:
    for seed in range(20):
        training(queue, seed)
    got: list[int] = []
    barrier = threading.Barrier(8)

    def claim(number: int) -> None:
        own = RunQueue(queue.layout.root)
        barrier.wait()
        for run in range(1, 21):
            if own.claim(run, ProcessIdentity("here", number, 1.0)) is not None:
                got.append(run)
        own.close()

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(1, 21))
    assert {run.state for run in queue.runs()} == {RunState.RUNNING}
    assert {run.turn for run in queue.runs()} == {1}


@pytest.mark.parametrize("before", RunState)
@pytest.mark.parametrize("after", RunState)
def test_a_state_is_followed_by_those_of_the_table_and_by_no_other(
    queue: RunQueue, before: RunState, after: RunState
) -> None:
    run = training(queue)
    with queue.database.transaction() as connection:
        connection.execute("UPDATE runs SET state = ? WHERE id = ?", (before, run.id))
    if after in NEXT[before]:
        assert queue.move(run.id, after, "why").state is after
    else:
        with pytest.raises(WrongState) as refusal:
            queue.move(run.id, after, "why")
        assert refusal.value.state == before
        assert queue.run(run.id).state is before


def test_whatever_begins_can_end_and_whatever_ended_without_a_result_can_go_on() -> None:
    assert all(NEXT[state] & ENDED for state in ACTIVE)
    assert all(RunState.PENDING in NEXT[state] for state in (RunState.STOPPED, RunState.INTERRUPTED, RunState.FAILED))
    assert not NEXT[RunState.COMPLETED] | NEXT[RunState.CANCELLED]


def test_how_far_a_run_is_stays_when_it_goes_on(queue: RunQueue) -> None:
    run = training(queue)
    reached = Reached(done=7, total=30, eta=2.5, rate=3.0, seconds=1.5, metrics={"train_loss": 0.1 + 0.2}, checkpoint=5)
    claimed(queue, run.id)
    queue.reach(run.id, reached)
    queue.move(run.id, RunState.STOPPED, "It was asked to stop.")
    queue.move(run.id, RunState.PENDING)
    again = claimed(queue, run.id)
    unmeasured = replace(reached, eta=None, rate=None)
    assert (again.reached, again.turn, again.error, again.share) == (unmeasured, 2, "", 7 / 30)


def test_a_thousand_runs_are_listed_with_two_questions_and_not_one_for_each(queue: RunQueue) -> None:
    for seed in range(30):
        training(queue, seed, needs=(seed,) if seed else ())
    asked: list[str] = []
    queue.close()
    queue.runs()
    connection = queue.database._connection
    assert isinstance(connection, sqlite3.Connection)
    connection.set_trace_callback(asked.append)
    assert [run.place.needs for run in queue.runs()] == [(), *((seed,) for seed in range(1, 30))]
    assert len(asked) == 2


def test_a_queue_of_a_later_version_is_left_alone(queue: RunQueue) -> None:
    training(queue)
    with queue.database.transaction() as connection:
        connection.execute("PRAGMA user_version = 99")
    queue.close()
    with pytest.raises(BadFile) as refusal:
        queue.runs()
    assert str(refusal.value) == (
        f"{queue.layout.queue} cannot be read.\n"
        "A later version of miscope wrote it.\n"
        "Use that version, or another workspace."
    )
