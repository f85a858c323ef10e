"""Whatever is killed, at whatever moment: what was done is kept, and the queue says what is true."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from miscope.bound import open_bound
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.testing import tables

HERE = Path(__file__).parent


@pytest.fixture
def clock(tmp_path: Path) -> dict[str, str]:
    """What gives a process a clock that jumps by days, both ways; nothing where no compiler is here for it."""
    if shutil.which("cc") is None or not sys.platform.startswith("linux"):
        return {}
    library = tmp_path / "jumping_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, HERE / "jumping_clock.c", "-ldl"], check=True)
    return {"LD_PRELOAD": str(library)}


def script(clock: dict[str, str], name: str, *words: object) -> str:
    told = [sys.executable, str(HERE / name), *map(str, words)]
    environment = {**os.environ, **clock, "OMP_NUM_THREADS": "1"}
    return subprocess.run(told, env=environment, stdout=subprocess.PIPE, check=True).stdout.decode()


def test_what_is_killed_here_has_a_clock_that_jumps(clock: dict[str, str]) -> None:
    code = "import time; times = [time.time() for _ in range(100)]; print(int(max(times) - min(times)))"
    words = [sys.executable, "-c", code]
    spread = int(subprocess.run(words, env={**os.environ, **clock}, stdout=subprocess.PIPE, check=True).stdout)
    assert (spread > 86400) == bool(clock)


def test_a_run_killed_at_twenty_moments_is_interrupted_each_time_and_ends_as_if_nothing_had_happened(
    clock: dict[str, str], place: Path, tmp_path: Path
) -> None:
    told = json.loads(script(clock, "killed_runs.py", place, 20))
    # One that dies before it has claimed its run leaves it where it was.
    assert Counter(told["states"]).keys() <= {RunState.INTERRUPTED, RunState.PENDING}
    assert RunState.INTERRUPTED in told["states"]
    assert told["end"] == RunState.STOPPED
    there = open_bound(place, tables()).variant("toy.sum", checkpoints="adaptive:3-20")
    straight = open_bound(tmp_path / "straight", tables()).variant("toy.sum", checkpoints="adaptive:3-20")
    for _ in straight.train(steps=told["step"], threads=1):
        pass
    mine, theirs = (v.workspace.store.load_checkpoint(v.name, told["step"]).weights for v in (straight, there))
    assert all(torch.equal(mine[role], theirs[role]) for role in mine)
    assert list(straight.metric("train_loss")[1]) == list(there.metric("train_loss")[1])


@pytest.mark.slow
def test_twenty_supervisors_killed_at_any_moment_lose_no_run_and_begin_none_twice(
    clock: dict[str, str], tmp_path: Path
) -> None:
    script(clock, "killed_supervisors.py", tmp_path / "ws", 20, 30)
    runs = RunQueue(tmp_path / "ws").runs()
    assert Counter(run.state for run in runs) == {RunState.COMPLETED: 30}
    assert {run.turn for run in runs} == {1}
    done = (tmp_path / "ws" / "done.txt").read_text().split()
    assert sorted(done, key=int) == [str(run.id) for run in runs]
