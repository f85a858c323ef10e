"""A queue whose file is taken away while its runs are there, or at work: nothing is begun twice, or overwritten."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from platform import node

import pytest

from miscope.errors import BadFile
from miscope.runs import actions
from miscope.runs.queued_run import QueuedRun
from miscope.runs.rebuilding import rebuild
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import ENDED, RunState
from miscope.store.ledger import Ledger
from miscope.store.process_identity import ProcessIdentity, this_process
from miscope.train_request import TrainRequest

Run = Callable[..., tuple[int, str, str]]
Working = Callable[..., AbstractContextManager[list[str]]]
Until = Callable[[Callable[[], object]], None]
GONE = ProcessIdentity(node(), 2**22 + 1, 1.0)


@pytest.fixture
def queue(tmp_path: Path) -> RunQueue:
    return RunQueue(tmp_path / "ws")


def training(queue: RunQueue, seed: int = 0) -> QueuedRun:
    """An endless one."""
    request = TrainRequest(
        family="toy.sum", params={"seed": seed}, training={"checkpoints": [0]}, steps=10**9, threads=1
    )
    return queue.submit(request, what=f"toy.sum/v5-seed{seed}-width16")


def lose(queue: RunQueue) -> None:
    for path in queue.layout.root.glob("runs.sqlite*"):
        path.unlink()


def test_an_empty_queue_does_not_take_the_place_of_one_that_is_gone(queue: RunQueue) -> None:
    training(queue)
    queue.claim(1, this_process())
    lose(queue)
    for attempt in (
        queue.runs,
        lambda: queue.run(1),
        lambda: training(queue),
        lambda: queue.move(1, RunState.COMPLETED),
        lambda: actions.stop(queue, 1),
    ):
        with pytest.raises(BadFile) as refusal:
            attempt()
        assert str(refusal.value) == (
            f"{queue.layout.queue} cannot be read.\n"
            "It is gone, and the runs are there.\n"
            "To make it anew from what the runs left:  "
            f"miscope runs rebuild --workspace {queue.layout.root}"
        )
    assert not queue.layout.queue.exists()


def test_the_command_that_it_names_makes_the_queue_anew(command: Run, place: Path) -> None:
    queue = RunQueue(place)
    training(queue)
    lose(queue)
    assert command("runs", "list")[0] == 1
    code, out, _ = command("runs", "rebuild")
    assert (code, out.count("\n")) == (0, 1)
    assert [run.state for run in queue.runs()] == [RunState.PENDING]


def test_no_run_gets_the_number_of_one_that_cannot_be_read(queue: RunQueue) -> None:
    training(queue)
    training(queue)
    (queue.layout.run(2) / "run.json").write_text("{")
    list(rebuild(queue, Ledger(queue.layout.ledger)))
    assert training(queue).id == 3
    assert (queue.layout.run(2) / "run.json").read_text() == "{"


def test_a_process_that_has_written_nothing_yet_keeps_its_run_in_a_queue_made_anew(queue: RunQueue) -> None:
    for seed, process in enumerate((this_process(), GONE, GONE)):
        training(queue, seed)
        queue.claim(seed + 1, process)
    queue.move(3, RunState.INTERRUPTED)
    actions.resume(queue, 3)
    list(rebuild(queue, Ledger(queue.layout.ledger)))
    assert [run.state for run in queue.runs()] == [RunState.RUNNING, RunState.INTERRUPTED, RunState.PENDING]
    assert [run.turn for run in queue.runs()] == [1, 1, 0]
    assert queue.run(1).pid == this_process().pid


def test_when_a_run_ended_is_still_known_in_a_queue_made_anew(queue: RunQueue) -> None:
    training(queue)
    actions.cancel(queue, 1)
    os.utime(queue.layout.run(1) / "ended.json", (1e9, 1e9))
    list(rebuild(queue, Ledger(queue.layout.ledger)))
    assert queue.run(1).ended == 1e9


def test_a_supervisor_at_work_makes_a_lost_queue_anew_and_its_runs_go_on(
    place: Path, working: Working, until: Until
) -> None:
    queue = RunQueue(place)
    run = training(queue)
    with working(queue) as lines:
        until(lambda: queue.run(run.id).reached.done > 5)
        pid = queue.run(run.id).pid
        lose(queue)
        until(lambda: len(lines) > 1)
        assert lines[1].startswith("The queue was made anew from the runs' folders and the ledger, with 1 runs.")
        until(lambda: queue.run(run.id).reached.done > 5)
        assert (queue.run(run.id).pid, queue.run(run.id).turn) == (pid, 1)
        actions.stop(queue, run.id)
        until(lambda: queue.run(run.id).state in ENDED)
    assert queue.run(run.id).state is RunState.STOPPED
    assert [line for line in lines[2:] if "begins" in line] == []
