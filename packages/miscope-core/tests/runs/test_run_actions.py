"""What is asked of runs: allowed in the states of the table, refused with a reason elsewhere, one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.errors import BadValue, MiscopeError
from miscope.runs import actions
from miscope.runs.queued_run import Place, QueuedRun, Reached
from miscope.runs.run_errors import WrongState
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import ALLOWED, Action, RunState
from miscope.train_request import TrainRequest

NAME = "toy.sum/v5-seed0-width16"
REQUEST = TrainRequest(family="toy.sum", params={"seed": 0}, steps=30)


@pytest.fixture
def queue(tmp_path: Path) -> RunQueue:
    return RunQueue(tmp_path)


def training(
    queue: RunQueue, state: RunState, request: TrainRequest = REQUEST, place: Place | None = None
) -> QueuedRun:
    """A run in that state."""
    run = queue.submit(request, what=NAME, place=place)
    with queue.database.transaction() as connection:
        connection.execute("UPDATE runs SET state = ? WHERE id = ?", (state, run.id))
    return queue.run(run.id)


@pytest.mark.parametrize("state", RunState)
@pytest.mark.parametrize("action", [action for action in Action if action is not Action.EXTEND])
def test_an_action_is_allowed_in_the_states_of_the_table_and_in_no_other(
    queue: RunQueue, action: Action, state: RunState
) -> None:
    run = training(queue, state)
    if state in ALLOWED[action] or (action is Action.STOP and state is RunState.STOPPING):
        actions.ask(queue, action, run.id)
        return
    with pytest.raises(WrongState):
        actions.ask(queue, action, run.id)
    assert queue.run(run.id) == run


def test_what_is_refused_says_what_may_be_asked(queue: RunQueue) -> None:
    run = training(queue, RunState.COMPLETED)
    with pytest.raises(WrongState) as refusal:
        actions.stop(queue, run.id)
    assert str(refusal.value) == (
        "Run 1 is completed, which does not allow 'stop'.\n"
        "It is for runs that are running.\n"
        "What may be asked of this one: extend, delete."
    )


def test_a_pending_run_that_is_paused_is_held_back_until_it_is_resumed(queue: RunQueue) -> None:
    run = training(queue, RunState.PENDING)
    held = actions.pause(queue, run.id)
    assert (held.state, held.error, queue.ready()) == (RunState.STOPPED, "It is held back.", [])
    assert actions.resume(queue, run.id).state is RunState.PENDING
    assert [each.id for each in queue.ready()] == [run.id]


def test_a_retry_is_a_run_of_its_own_and_what_waited_for_the_one_waits_for_that(queue: RunQueue) -> None:
    failed = training(queue, RunState.FAILED, place=Place(priority=3))
    waiting = queue.submit(AnalyzeRequest(variants=(NAME,)), what=NAME, place=Place(needs=(failed.id,)))
    again = actions.retry(queue, failed.id)
    assert (again.request, again.what, again.state) == (failed.request, failed.what, RunState.PENDING)
    assert again.place == Place(priority=3, retry_of=failed.id, attempt=2)
    assert queue.run(waiting.id).place.needs == (again.id,)
    assert queue.run(failed.id).state is RunState.FAILED


def test_a_training_that_begins_anew_is_not_resumed_but_retried(queue: RunQueue) -> None:
    run = training(queue, RunState.STOPPED, REQUEST.model_copy(update={"resume": False}))
    with pytest.raises(BadValue) as refusal:
        actions.resume(queue, run.id)
    assert str(refusal.value) == (
        "Run 1 would begin again at step 0.\n"
        "It was asked for with resume=False, and what it has done so far would be lost.\n"
        "Ask for the same training with resume=True."
    )
    assert actions.retry(queue, run.id).state is RunState.PENDING


def test_a_completed_training_is_extended_to_a_later_step_by_a_new_run(queue: RunQueue) -> None:
    run = training(queue, RunState.COMPLETED)
    queue.reach(run.id, Reached(done=30, total=30))
    longer = actions.extend(queue, run.id, 50)
    assert longer.request == REQUEST.model_copy(update={"steps": 50})
    with pytest.raises(BadValue) as refusal:
        actions.extend(queue, run.id, 30)
    assert str(refusal.value) == (
        "Run 1 cannot be extended to step 30.\nIt was trained to step 30.\nGive a later step."
    )


def test_an_analysis_is_neither_extended_nor_saved(queue: RunQueue) -> None:
    run = queue.submit(AnalyzeRequest(variants=(NAME,)), what=NAME)
    for state, action in ((RunState.COMPLETED, Action.EXTEND), (RunState.RUNNING, Action.SAVE)):
        with queue.database.transaction() as connection:
            connection.execute("UPDATE runs SET state = ?", (state,))
        with pytest.raises(BadValue):
            _ = actions.extend(queue, run.id, 9) if action is Action.EXTEND else actions.save(queue, run.id)


def test_a_run_that_others_wait_for_is_not_deleted(queue: RunQueue) -> None:
    run = training(queue, RunState.FAILED)
    for _ in range(2):
        queue.submit(AnalyzeRequest(variants=(NAME,)), what=NAME, place=Place(needs=(run.id,)))
    with pytest.raises(BadValue) as refusal:
        actions.delete(queue, run.id)
    assert str(refusal.value) == ("Run 1 cannot be deleted.\nThese wait for it: 2, 3.\nCancel them, or retry it.")


def test_a_deleted_run_is_out_of_the_list_and_comes_back(queue: RunQueue) -> None:
    run = training(queue, RunState.COMPLETED)
    assert actions.delete(queue, run.id).deleted
    assert (queue.runs(), [each.id for each in queue.runs(deleted=True)]) == ([], [run.id])
    assert not actions.restore(queue, run.id).deleted
    assert [each.id for each in queue.runs()] == [run.id]


@pytest.mark.parametrize("action", [Action.RESUME, Action.CANCEL, Action.RETRY])
def test_nothing_but_to_restore_it_is_asked_of_a_deleted_run(queue: RunQueue, action: Action) -> None:
    training(queue, RunState.INTERRUPTED)
    actions.delete(queue, 1)
    with pytest.raises(BadValue) as refusal:
        actions.ask(queue, action, 1)
    assert str(refusal.value) == (
        "Run 1 is deleted.\nNothing is done with it while it is.\n"
        f"To put it back:  miscope runs restore 1 --workspace {queue.layout.root}"
    )
    assert actions.delete(queue, 1).state is RunState.INTERRUPTED


def test_a_run_that_is_resumed_and_deleted_at_one_moment_is_one_of_the_two(queue: RunQueue) -> None:
    training(queue, RunState.INTERRUPTED)
    actions.resume(queue, 1)
    with pytest.raises(WrongState):
        queue.hide(1, deleted=True)
    training(queue, RunState.INTERRUPTED)
    queue.hide(2, deleted=True)
    with pytest.raises(BadValue):
        queue.move(2, RunState.PENDING)
    assert [(run.state, run.deleted) for run in queue.every().values()] == [
        (RunState.PENDING, False),
        (RunState.INTERRUPTED, True),
    ]


def test_one_refusal_among_many_keeps_none_of_the_others_back(queue: RunQueue) -> None:
    states = (RunState.PENDING, RunState.COMPLETED, RunState.STOPPED)
    numbers = [training(queue, state).id for state in states]
    done = actions.each([*numbers, 77], lambda number: actions.cancel(queue, number))
    assert [one.run.state if one.run else one.refused.splitlines()[0] for one in done] == [
        RunState.CANCELLED,
        "Run 2 is completed, which does not allow 'cancel'.",
        RunState.CANCELLED,
        "There is no run 77.",
    ]


def test_a_stop_asked_twice_is_one_stop(queue: RunQueue) -> None:
    run = training(queue, RunState.RUNNING)
    assert actions.stop(queue, run.id).state is actions.stop(queue, run.id).state is RunState.STOPPING


def test_every_refusal_is_one_a_person_can_act_on(queue: RunQueue) -> None:
    for action in Action:
        if action is Action.EXTEND:
            continue
        for state in RunState:
            run = training(queue, state)
            done = actions.each([run.id], lambda number, action=action: actions.ask(queue, action, number))
            assert done[0].run is not None or len(done[0].refused.splitlines()) == 3, (action, state)
    assert issubclass(WrongState, MiscopeError)
