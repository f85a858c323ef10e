"""Processes that die, or are asked to stop, before their run has begun: none is begun without end, none is done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.bound import open_bound
from miscope.runs import performing
from miscope.runs.reporter import Reporter
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import ENDED, RunState
from miscope.runs.slots import Slots
from miscope.runs.spawning import PYTHON
from miscope.runs.supervisor import Supervisor
from miscope.store.ledger import Ledger
from miscope.store.process_identity import this_process
from miscope.testing import tables
from miscope.train_request import TrainRequest

Working = Callable[..., AbstractContextManager[list[str]]]
Until = Callable[[Callable[[], object]], None]
NAME = "toy.sum/v5-seed0-width16"


@pytest.mark.parametrize(
    ("script", "state", "error"),
    [
        (
            "raise SystemExit('no such module')",
            RunState.FAILED,
            "Its process ended with 1. It could not begin. It printed last:\nno such module",
        ),
        (
            f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})",
            RunState.INTERRUPTED,
            "Its process was ended by SIGKILL. Out of memory, perhaps. It could not begin.",
        ),
    ],
    ids=["by itself", "killed"],
)
def test_a_process_that_dies_before_it_takes_its_run_is_started_once(
    tmp_path: Path, script: str, state: RunState, error: str
) -> None:
    queue = RunQueue(tmp_path)
    queue.submit(TrainRequest(family="toy.sum"), what=NAME)
    lines: list[str] = []
    supervisor = Supervisor(
        queue=queue,
        ledger=Ledger(queue.layout.ledger),
        slots=Slots(at_once=1),
        note=lines.append,
        words=(sys.executable, "-c", script),
    )
    supervisor.serve(should_stop=lambda: len(lines) > 2, until_idle=True)
    assert lines == [f"run 1 begins: train {NAME}", f"run 1 {state}: train {NAME}: {error.splitlines()[0]}"]
    assert (queue.run(1).state, queue.run(1).error) == (state, error)


def test_a_run_resumed_before_the_end_of_its_process_was_noted_has_not_failed(tmp_path: Path) -> None:
    queue = RunQueue(tmp_path)
    queue.submit(TrainRequest(family="toy.sum"), what=NAME)
    lines: list[str] = []
    script = (
        "import sys; from pathlib import Path; from miscope.runs import actions; from miscope.runs.run_queue import *;"
        "from miscope.runs.run_state import RunState; from miscope.store.process_identity import this_process;"
        "queue = RunQueue(Path(sys.argv[1])); run = queue.claim(1, this_process());"
        "run.turn == 2 or (queue.move(1, RunState.STOPPED), actions.resume(queue, 1), sys.exit(130));"
        "queue.move(1, RunState.COMPLETED)"
    )
    words = (sys.executable, "-c", script)
    ledger, slots = Ledger(queue.layout.ledger), Slots(at_once=1)
    supervisor = Supervisor(queue=queue, ledger=ledger, slots=slots, note=lines.append, words=words)
    supervisor.serve(should_stop=lambda: len(lines) > 3, until_idle=True)
    assert (queue.run(1).state, queue.run(1).turn) == (RunState.COMPLETED, 2)


def test_an_analysis_stopped_before_its_first_job_is_stopped_and_not_completed(tmp_path: Path) -> None:
    workspace = open_bound(tmp_path, tables())
    for _ in workspace.variant("toy.sum").train(threads=1):
        pass
    queue = RunQueue(tmp_path)
    request = AnalyzeRequest(variants=(NAME,), analyzers=("parameters.norms",))
    queue.submit(request, what=NAME)
    run = queue.claim(1, this_process())
    assert run is not None
    with Reporter(queue, run, lambda: True) as reporter:
        ending = performing.analyze(workspace.value, request, reporter)
    assert ending == (RunState.STOPPED, "It was stopped before its first job.")
    with Reporter(queue, run, lambda: False) as reporter:
        assert performing.analyze(workspace.value, request, reporter) == (RunState.COMPLETED, "")


def test_files_of_the_current_folder_are_no_modules_of_a_run(
    place: Path, working: Working, until: Until, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    queue = RunQueue(place)
    run = queue.submit(TrainRequest(family="toy.sum", threads=1), what=NAME)
    with working(queue):
        until(lambda: queue.run(run.id).state in ENDED)
    assert queue.run(run.id).state is RunState.COMPLETED
    words = [*PYTHON, "miscope", "runs", "list", "--workspace", str(place)]
    listed = subprocess.run(words, capture_output=True, text=True, env=dict(os.environ))
    assert (listed.returncode, listed.stderr) == (0, "")
