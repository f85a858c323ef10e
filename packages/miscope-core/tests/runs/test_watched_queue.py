"""What is asked of a queue that nobody works through: a dead run is called dead, and nobody waits in vain."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from platform import node

import pytest

from miscope.runs.queued_run import Place
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.runs.waiting import in_vain
from miscope.store.process_identity import ProcessIdentity, this_process
from miscope.train_request import TrainRequest

Run = Callable[..., tuple[int, str, str]]
NAME = "toy.sum/v5-seed0-width16"
GONE = ProcessIdentity(node(), 2**22 + 1, 1.0)


@pytest.fixture
def unattended(place: Path, monkeypatch: pytest.MonkeyPatch) -> RunQueue:
    """The queue of a workspace where no command starts a supervisor."""
    monkeypatch.setattr("miscope.runs.supervisor.start_supervisor", lambda root: 0)
    return RunQueue(place)


@pytest.fixture
def dead(command: Run, unattended: RunQueue) -> RunQueue:
    """A run whose process was killed, as was the supervisor, and an analysis that waits for it."""
    command("train", "toy.sum", "--queue", "--then", "analyze")
    unattended.claim(1, GONE)
    return unattended


@pytest.mark.parametrize("words", [("list",), ("show", 1), ("watch", 1), ("logs", 1), ("logs", 1, "--follow")])
def test_whoever_looks_finds_a_run_interrupted_whose_process_was_killed_with_the_supervisor(
    command: Run, dead: RunQueue, words: tuple[object, ...]
) -> None:
    command("runs", *words)
    assert dead.run(1).state is RunState.INTERRUPTED
    assert dead.run(1).error == "Its process is gone. It can be resumed."


def test_a_run_whose_process_was_killed_with_the_supervisor_is_resumed_at_once(command: Run, dead: RunQueue) -> None:
    assert command("runs", "resume", 1)[:2] == (0, "run 1: pending\n")
    assert dead.claim(1, this_process()) is not None
    assert command("runs", "list", "--state", "running", "--json")[0] == 0
    assert dead.run(1).state is RunState.RUNNING


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes wherever it likes")
def test_a_workspace_that_cannot_be_written_is_shown_as_it_is(command: Run, dead: RunQueue) -> None:
    dead.layout.queue.chmod(0o444)
    assert command("runs", "show", 1)[0] == 0


def test_watching_ends_where_a_run_waits_for_one_that_failed_and_says_what_to_do(command: Run, dead: RunQueue) -> None:
    dead.move(1, RunState.FAILED, "No.")
    code, out, err = command("runs", "watch", "--json")
    assert (code, [json.loads(line)["state"] for line in out.splitlines()]) == (1, ["pending"])
    assert err == "Run 2 does not begin: run 1 is failed.  To go on:  miscope runs retry 1\n"
    assert command("runs", "logs", 2, "--follow")[1:] == ("", err)


def test_a_run_waits_in_vain_for_one_that_ended_through_however_many_others(unattended: RunQueue) -> None:
    def run(*needs: int) -> None:
        unattended.submit(TrainRequest(family="toy.sum"), what=NAME, place=Place(needs=needs))

    for needs in ((), (1,), (2,), (), (4,), (3, 4)):
        run(*needs)
    assert in_vain(unattended.every()) == {}
    unattended.claim(4, this_process())
    unattended.move(4, RunState.COMPLETED)
    unattended.move(1, RunState.CANCELLED)
    unattended.hide(1, deleted=True)
    causes = in_vain(unattended.every())
    assert {number: cause.id for number, cause in causes.items()} == {2: 1, 3: 1, 6: 1}
