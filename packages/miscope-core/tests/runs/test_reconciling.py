"""What became of a run whose process is gone: what the ledger says, and interrupted where it does not say."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from platform import node

import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.runs.queued_run import QueuedRun, Reached
from miscope.runs.reconciling import reconcile
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.ledger import Ledger
from miscope.store.process_identity import ProcessIdentity, identity_of, is_alive, this_process
from miscope.train_request import TrainRequest

NAME = "toy.sum/v5-seed0-width16"
GONE = ProcessIdentity(node(), 2**22 + 1, 1.0)
"""No Linux has a process of that number."""


@pytest.fixture
def queue(tmp_path: Path) -> RunQueue:
    return RunQueue(tmp_path)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def training(queue: RunQueue, process: ProcessIdentity = GONE) -> QueuedRun:
    """One that the process works on."""
    run = queue.claim(queue.submit(TrainRequest(family="toy.sum"), what=NAME).id, process)
    assert run is not None
    return run


def truth(queue: RunQueue, ledger: Ledger, run: QueuedRun) -> tuple[RunState, str]:
    for _ in reconcile(queue, ledger, ours=()):
        pass
    seen = queue.run(run.id)
    return seen.state, seen.error


def test_a_run_that_wrote_no_end_was_interrupted(queue: RunQueue, ledger: Ledger) -> None:
    run = training(queue)
    queue.reach(run.id, Reached(done=9, total=30, checkpoint=7))
    expected = "Its process is gone. Its last checkpoint is at step 7. It can be resumed."
    assert truth(queue, ledger, run) == (RunState.INTERRUPTED, expected)


def test_a_run_that_finished_before_it_could_say_so_to_the_queue_is_completed(queue: RunQueue, ledger: Ledger) -> None:
    run = training(queue)
    with ledger.signed(queued=run.id, turn=1).run("train", NAME):
        pass
    assert truth(queue, ledger, run) == (RunState.COMPLETED, "")


def test_a_run_that_failed_before_it_could_say_so_is_failed_with_its_reason(queue: RunQueue, ledger: Ledger) -> None:
    run = training(queue)
    with pytest.raises(ZeroDivisionError), ledger.signed(queued=run.id, turn=1).run("train", NAME):
        _ = 1 / 0
    assert truth(queue, ledger, run) == (RunState.FAILED, "division by zero")


def test_a_run_that_stopped_before_it_could_say_so_is_stopped(queue: RunQueue, ledger: Ledger) -> None:
    run = training(queue)
    with ledger.signed(queued=run.id, turn=1).run("train", NAME) as log:
        log.write("stopped", step=4)
    assert truth(queue, ledger, run) == (RunState.STOPPED, "It was stopped.")


def test_how_an_earlier_turn_or_another_run_ended_says_nothing_of_this_one(queue: RunQueue, ledger: Ledger) -> None:
    run = training(queue)
    queue.move(run.id, RunState.STOPPED)
    queue.move(run.id, RunState.PENDING)
    assert queue.claim(run.id, GONE) is not None
    for facts in ({"queued": run.id, "turn": 1}, {"queued": run.id + 1, "turn": 2}, {}):
        with ledger.signed(**facts).run("train", NAME):
            pass
    assert truth(queue, ledger, run)[0] is RunState.INTERRUPTED


def test_an_analysis_is_completed_once_the_logs_of_all_its_variants_are(queue: RunQueue, ledger: Ledger) -> None:
    request = AnalyzeRequest(variants=("toy.sum/a", "toy.sum/b"))
    run = queue.submit(request, what="toy.sum/a, toy.sum/b")
    for turn, names in enumerate((("toy.sum/a",), ("toy.sum/b",)), start=1):
        assert queue.claim(run.id, GONE) is not None
        for name in names:
            with ledger.signed(queued=run.id, turn=turn).run("analyze", name):
                pass
        state = truth(queue, ledger, run)[0]
        assert state is (RunState.INTERRUPTED if turn == 1 else RunState.COMPLETED)
        if state is RunState.INTERRUPTED:
            queue.move(run.id, RunState.PENDING)


def test_an_analysis_of_which_an_instrument_failed_is_failed(queue: RunQueue, ledger: Ledger) -> None:
    run = queue.submit(AnalyzeRequest(variants=(NAME,)), what=NAME)
    assert queue.claim(run.id, GONE) is not None
    with ledger.signed(queued=run.id, turn=1).run("analyze", NAME) as log:
        log.write("failure", analyzers=["rank.stable"], step=3, state="failed", error="no convergence", trace="")
    assert truth(queue, ledger, run) == (RunState.FAILED, "no convergence")


def test_a_run_whose_process_lives_or_is_on_another_machine_is_left_alone(queue: RunQueue, ledger: Ledger) -> None:
    mine = training(queue, this_process())
    request = TrainRequest(family="toy.sum", params={"seed": 1})
    other = queue.submit(request, what="toy.sum/v5-seed1-width16")
    assert queue.claim(other.id, ProcessIdentity("elsewhere", 1, 1.0)) is not None
    assert truth(queue, ledger, mine)[0] is RunState.RUNNING
    assert queue.run(other.id).state is RunState.RUNNING


def test_a_number_that_another_process_has_now_is_not_the_process_that_had_it(queue: RunQueue, ledger: Ledger) -> None:
    mine = this_process()
    run = training(queue, ProcessIdentity(mine.host, mine.pid, mine.born - 5))
    assert truth(queue, ledger, run)[0] is RunState.INTERRUPTED


def test_the_birth_of_a_process_is_counted_from_the_start_of_the_machine_which_no_clock_changes() -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("this system does not say")
    since_start = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert 0 < this_process().born <= since_start
    assert this_process() == this_process()


def test_a_process_recorded_by_an_earlier_version_with_the_clock_s_time_is_still_known() -> None:
    import psutil

    assert is_alive(node(), os.getpid(), psutil.Process().create_time())
    assert not is_alive(node(), os.getpid(), psutil.Process().create_time() - 60)


def test_a_child_that_ended_and_was_not_waited_for_is_gone() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert identity_of(child) is None
    os.waitpid(child, 0)


def test_a_torn_first_line_of_a_log_is_nobody_s(queue: RunQueue, ledger: Ledger) -> None:
    run = training(queue)
    with ledger.signed(queued=run.id, turn=1).run("train", NAME):
        pass
    (ledger.folder / "20000101T000000-train-x.jsonl").write_text(json.dumps({"queued": run.id})[:-3])
    assert truth(queue, ledger, run)[0] is RunState.COMPLETED
