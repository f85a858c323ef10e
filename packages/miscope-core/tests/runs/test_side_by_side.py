"""Supervisor, its runs, questions in SQL and a notebook work on one workspace at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from miscope.bound import open_bound
from miscope.bound_queue import BoundRun
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import ENDED, RunState
from miscope.testing import tables

Working = Callable[..., AbstractContextManager[list[str]]]
Run = Callable[..., tuple[int, str, str]]


def test_questions_and_a_notebook_s_own_training_go_on_beside_the_runs_of_a_queue(
    place: Path, working: Working, command: Run
) -> None:
    notebook = open_bound(place, tables())
    queue = RunQueue(place)
    with working(queue):
        runs = [notebook.queue.train(notebook.variant("toy.sum", seed=seed), threads=1) for seed in (1, 2)]
        behind = notebook.queue.analyze([notebook.variant("toy.sum", seed=1)], ["parameters.norms"], after=runs)
        for _ in notebook.variant("toy.sum", seed=3).train(threads=1):
            pass
        asked = 0
        while behind.state not in ENDED:
            code, _, err = command("ask", "SELECT count(*) AS runs FROM runs", "--format", "json")
            assert (code, err) == (0, ""), err
            notebook.ask("SELECT variant, max(step) FROM checkpoints GROUP BY variant")
            asked += 1
            time.sleep(0.2)  # the others are to work, too
    assert asked > 0
    assert [BoundRun(notebook.value, run.id).state for run in queue.runs()] == [RunState.COMPLETED] * 3
    rows = notebook.ask("SELECT variant, state FROM runs WHERE kind = 'train' ORDER BY variant").to_pylist()
    assert [row["state"] for row in rows] == ["completed"] * 3
    counts = notebook.ask("SELECT count(DISTINCT step) AS steps FROM artifacts").to_pylist()
    assert counts == [{"steps": 4}]
