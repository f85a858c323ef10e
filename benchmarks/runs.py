"""The queue: from asking to running and from a stop to its acknowledgement, with a supervisor at work; a long list.

The trainings are of modular addition with p = 5, whose processes import all that a real one does.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import miscope
from miscope.bound_queue import BoundRun
from miscope.runs.queued_run import Reached
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import ENDED, RunState
from miscope.train_request import TrainRequest

REPEATS, LISTED, PATIENCE = 7, 1000, 120.0
ENDLESS = 10**9


@contextmanager
def supervised(root: Path) -> Iterator[None]:
    """A supervisor at work on the workspace."""
    words = [sys.executable, "-m", "miscope", "runs", "serve", "--at-once", "1", "--workspace", str(root)]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:
        try:
            yield
        finally:
            process.terminate()


def seconds_until(condition: Callable[[], bool]) -> float:
    """Wall seconds until it holds."""
    began = time.perf_counter()
    while not condition():
        if time.perf_counter() - began > PATIENCE:
            raise SystemExit("a run neither began nor ended; the queue does not work here")
        time.sleep(0.005)
    return time.perf_counter() - began


def one_run(root: Path, seed: int) -> dict[str, float]:
    """Seconds from asking to running, to the first step, from a stop to its acknowledgement, and to its end."""
    workspace, queue = miscope.open(root), RunQueue(root)
    variant = workspace.variant("modadd.transformer", prime=5, seed=seed, checkpoints="adaptive:100-1000")
    request = workspace.queue.train(variant, steps=ENDLESS, threads=1)
    running = seconds_until(lambda: request.state is RunState.RUNNING)
    first = running + seconds_until(lambda: queue.run(request.number).reached.total is not None)
    time.sleep(0.3)
    asked = time.perf_counter()
    BoundRun(workspace.value, request.number).stop()
    known = seconds_until(lambda: queue.run(request.number).acknowledged or request.state in ENDED)
    seconds_until(lambda: request.state in ENDED)
    queue.close()
    return {"running": running, "first step": first, "acknowledged": known, "stopped": time.perf_counter() - asked}


def listing(root: Path) -> tuple[float, float]:
    """Seconds in which so many runs are read, and written one by one."""
    queue = RunQueue(root)
    began = time.perf_counter()
    for seed in range(LISTED):
        request = TrainRequest(family="toy.sum", params={"seed": seed}, training={"learning_rate": 1e-3})
        run = queue.submit(request, what=f"toy.sum/v5-seed{seed}-width16")
        if seed < 20:
            queue.reach(run.id, Reached(done=seed, total=100, metrics={"train_loss": 0.5, "test_loss": 1.5}))
    written = (time.perf_counter() - began) / LISTED
    read = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        assert len(queue.runs()) == LISTED
        read.append(time.perf_counter() - began)
    queue.close()
    return statistics.median(read), written


def main() -> None:
    """Print the measurements as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "ws"
        with supervised(root):
            seen = [one_run(root, seed) for seed in range(REPEATS)]
        read, written = listing(Path(folder) / "long")
    median = {name: statistics.median(each[name] for each in seen) for name in seen[0]}
    rows = [
        {"what": "from asking to running", "s": round(median["running"], 3), "aim": 2},
        {"what": "from asking to the first step", "s": round(median["first step"], 3)},
        {"what": "from a stop to its acknowledgement", "s": round(median["acknowledged"], 3), "aim": 2},
        {"what": "from a stop to the end, a checkpoint saved", "s": round(median["stopped"], 3)},
        {"what": f"{LISTED} runs listed", "s": round(read, 4), "aim": 0.1},
        {"what": "a run put into the queue", "s": round(written, 4)},
    ]
    note = f"Medians of {REPEATS}; a supervisor and one run at a time, one thread, modadd.transformer with p = 5."
    print(json.dumps({"title": "Runs", "rows": rows, "notes": [note]}))


if __name__ == "__main__":
    main()
