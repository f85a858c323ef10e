"""Runs whose processes are on another machine, or on this one when it had another name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from miscope.errors import BadValue
from miscope.runs import actions
from miscope.runs.queued_run import Reached
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.ledger import Ledger
from miscope.store.process_identity import ProcessIdentity, this_process
from miscope.train_request import TrainRequest

Run = Callable[..., tuple[int, str, str]]
NAME = "toy.sum/v5-seed0-width16"
ELSEWHERE = ProcessIdentity("elsewhere", 4242, 1.0)


@pytest.fixture
def queue(place: Path) -> RunQueue:
    """A training that a process of another machine works on."""
    queue = RunQueue(place)
    queue.submit(TrainRequest(family="toy.sum"), what=NAME)
    queue.claim(1, ELSEWHERE)
    queue.reach(1, Reached(done=9, total=30, checkpoint=7))
    return queue


def test_the_list_says_on_which_machine_a_run_is_worked_on(queue: RunQueue, command: Run) -> None:
    assert "on elsewhere" in command("runs", "list")[1]


def test_a_person_says_that_the_process_is_gone_and_the_run_can_be_resumed(queue: RunQueue, command: Run) -> None:
    assert command("runs", "interrupt", 1)[:2] == (0, "run 1: interrupted\n")
    expected = (
        "Its process on elsewhere is gone, as somebody said. Its last checkpoint is at step 7. It can be resumed."
    )
    assert queue.run(1).error == expected
    assert actions.resume(queue, 1).state is RunState.PENDING


def test_what_the_ledger_says_of_its_end_is_believed_before_that(queue: RunQueue, place: Path) -> None:
    ledger = Ledger(place / "ledger")
    with ledger.signed(queued=1, turn=1).run("train", NAME):
        pass
    assert actions.interrupt(queue, ledger, 1).state is RunState.COMPLETED


def test_of_a_run_of_this_machine_nobody_needs_to_say_it(queue: RunQueue, command: Run) -> None:
    queue.submit(TrainRequest(family="toy.sum", params={"seed": 1}), what="toy.sum/v5-seed1-width16")
    queue.claim(2, this_process())
    code, _, said = command("runs", "interrupt", 2)
    assert (code, queue.run(2).state) == (1, RunState.RUNNING)
    assert said == (
        "Run 2 is not interrupted by a word.\nIts process is one of this machine.\n"
        "To have it end:  miscope runs stop 2\n"
    )


def test_a_run_that_nobody_works_on_cannot_be_interrupted(queue: RunQueue, place: Path) -> None:
    queue.submit(TrainRequest(family="toy.sum", params={"seed": 1}), what="toy.sum/v5-seed1-width16")
    with pytest.raises(BadValue, match="No process works on it"):
        actions.interrupt(queue, Ledger(place / "ledger"), 2)


def test_a_supervisor_that_ends_with_the_last_run_does_not_wait_for_those_of_other_machines(queue: RunQueue) -> None:
    assert not queue.busy()
    queue.submit(TrainRequest(family="toy.sum", params={"seed": 1}), what="toy.sum/v5-seed1-width16")
    assert queue.busy()
    queue.claim(2, this_process())
    assert queue.busy()
    queue.move(2, RunState.COMPLETED)
    assert not queue.busy()
