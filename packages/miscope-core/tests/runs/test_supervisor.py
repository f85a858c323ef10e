"""The supervisor and the processes it starts: real ones, stopped, killed, and found again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.bound import open_bound
from miscope.runs import actions
from miscope.runs.queued_run import Place, QueuedRun
from miscope.runs.run_errors import Supervised
from miscope.runs.run_folder import RunFolder
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import ENDED, RunState
from miscope.runs.supervisor import supervising
from miscope.testing import tables
from miscope.train_request import TrainRequest

Working = Callable[..., AbstractContextManager[list[str]]]
Until = Callable[[Callable[[], object]], None]
NAME = "toy.sum/v5-seed0-width16"
ENDLESS = TrainRequest(family="toy.sum", training={"checkpoints": [0]}, steps=10**9, threads=1)


def training(queue: RunQueue, seed: int = 0) -> QueuedRun:
    """An endless one of a variant of its own."""
    request = ENDLESS.model_copy(update={"params": {"seed": seed}})
    return queue.submit(request, what=f"toy.sum/v5-seed{seed}-width16")


def state(queue: RunQueue, run: QueuedRun) -> RunState:
    return queue.run(run.id).state


def test_a_training_and_the_analysis_behind_it_leave_what_they_would_leave_here(
    place: Path, working: Working, until: Until, tmp_path: Path
) -> None:
    queue = RunQueue(place)
    first = queue.submit(TrainRequest(family="toy.sum", threads=1), what=NAME)
    request = AnalyzeRequest(variants=(NAME,), analyzers=("parameters.norms",))
    second = queue.submit(request, what=NAME, place=Place(needs=(first.id,)))
    with working(queue) as lines:
        until(lambda: state(queue, second) in ENDED)
        until(lambda: len(lines) == 4)
    assert [run.state for run in queue.runs()] == [RunState.COMPLETED] * 2
    assert sorted(lines) == [
        f"run 1 begins: train {NAME}",
        f"run 1 completed: train {NAME}",
        f"run 2 begins: analyze {NAME}",
        f"run 2 completed: analyze {NAME}",
    ]
    here, there = open_bound(tmp_path / "here", tables()).variant("toy.sum"), open_bound(place, tables()).find(NAME)
    for _ in here.train(threads=1):
        pass
    for _ in here.analyze("parameters.norms"):
        pass
    for name, values in here.arrays("parameters.norms").items():
        np.testing.assert_array_equal(values, there.arrays("parameters.norms")[name])
    done = queue.run(first.id)
    assert (done.reached.done, done.reached.total, done.reached.checkpoint, done.pid) == (30, 30, 30, None)
    assert done.reached.ledger in there.workspace.ledger.runs()
    assert done.reached.metrics["train_loss"] == there.metric("train_loss")[1][-1]
    assert RunFolder(queue.layout, first.id).tail(1) == ["run 1: completed"]


def test_a_running_training_saves_when_asked_stops_with_a_checkpoint_and_goes_on_after_it_is_killed(
    place: Path, working: Working, until: Until
) -> None:
    queue = RunQueue(place)
    run = training(queue)
    store = open_bound(place, tables()).value.store
    with working(queue) as lines:
        until(lambda: queue.run(run.id).reached.done > 5)
        actions.save(queue, run.id)
        until(lambda: len(store.steps(NAME)) == 2)
        assert actions.stop(queue, run.id).state is RunState.STOPPING
        until(lambda: state(queue, run) is RunState.STOPPED)
        stopped = queue.run(run.id)
        last = store.steps(NAME)[-1]
        assert (len(store.steps(NAME)), stopped.reached.checkpoint, stopped.reached.done) == (3, last, last)
        assert stopped.error == f"It was stopped at step {last:,} of 1,000,000,000."
        actions.resume(queue, run.id)
        until(lambda: queue.run(run.id).reached.done > last)
        pid = queue.run(run.id).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: state(queue, run) is RunState.INTERRUPTED)
    killed = queue.run(run.id)
    assert killed.error == (
        "Its process was ended by SIGKILL. Out of memory, perhaps."
        f" Its last checkpoint is at step {last:,}. It can be resumed."
    )
    assert (killed.turn, killed.pid) == (2, None)
    assert lines[-1] == f"run 1 interrupted: train {NAME}: {killed.error}"


def test_a_run_that_fails_says_why_and_takes_no_other_along(place: Path, working: Working, until: Until) -> None:
    queue = RunQueue(place)
    failing = queue.submit(TrainRequest(family="toy.sun"), what="toy.sun/x")
    crashing = queue.submit(AnalyzeRequest(variants=("toy.sum/none",)), what="toy.sum/none")
    waiting = queue.submit(AnalyzeRequest(variants=(NAME,)), what=NAME, place=Place(needs=(failing.id,)))
    with working(queue):
        until(lambda: state(queue, failing) in ENDED and state(queue, crashing) in ENDED)
    failed = queue.run(failing.id)
    assert failed.state is RunState.FAILED
    assert failed.error.splitlines()[:2] == ["There is no family named 'toy.sun'.", "Did you mean 'toy.sum'?"]
    assert RunFolder(queue.layout, failing.id).tail(9)[:2] == failed.error.splitlines()[:2]
    assert state(queue, crashing) is RunState.FAILED
    assert state(queue, waiting) is RunState.PENDING


def test_a_supervisor_that_is_killed_takes_no_run_along_and_the_next_one_finds_them(
    place: Path, working: Working, until: Until
) -> None:
    queue = RunQueue(place)
    goes_on, killed = training(queue, 0), training(queue, 1)
    words = [sys.executable, "-m", "miscope", "runs", "serve", "--at-once", "2", "--workspace", str(place)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as supervisor:
        until(lambda: all(queue.run(run.id).reached.done > 5 for run in (goes_on, killed)))
        with pytest.raises(Supervised) as refusal, supervising(queue):
            pass
        assert f"process {supervisor.pid} on " in str(refusal.value).splitlines()[1]
        supervisor.kill()
    pid = queue.run(killed.id).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    done = queue.run(goes_on.id).reached.done
    until(lambda: queue.run(goes_on.id).reached.done > done)
    with working(queue):
        until(lambda: state(queue, killed) is RunState.INTERRUPTED)
        assert state(queue, goes_on) is RunState.RUNNING
        actions.stop(queue, goes_on.id)
        until(lambda: state(queue, goes_on) is RunState.STOPPED)
    assert queue.run(killed.id).error.startswith("Its process is gone.")
    assert [run.turn for run in queue.runs()] == [1, 1]


def test_a_run_that_a_signal_asks_to_stop_saves_a_checkpoint_first(place: Path, working: Working, until: Until) -> None:
    queue = RunQueue(place)
    run = training(queue)
    with working(queue):
        until(lambda: queue.run(run.id).reached.done > 5)
        pid = queue.run(run.id).pid
        assert pid is not None
        os.kill(pid, signal.SIGTERM)
        until(lambda: state(queue, run) is RunState.STOPPED)
    steps = open_bound(place, tables()).value.store.steps(NAME)
    assert steps == [0, queue.run(run.id).reached.done]
