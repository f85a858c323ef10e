"""A server, the supervisor that it started, questions on the command line and a notebook, at work side by side."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import ENDED, RunState
from miscope.store.variant_lock import lock_holder

NOTEBOOK = """
import sys
import miscope

workspace = miscope.open(sys.argv[1])
variant = workspace.variant("toy.sum", seed=9)
for _ in variant.train(threads=1):
    pass
variant.analyze("parameters.norms")
print(len(variant.arrays("parameters.norms")["step"]), len(workspace.ask("SELECT * FROM runs")))
"""
QUESTION = "SELECT count(*) AS n FROM artifacts"


def asked(address: str, path: str, body: object = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}api/v1/{path}", content, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_server_supervisor_questions_and_a_notebook_work_in_one_workspace(
    offer: Callable[[str, str], None],
    tmp_path: Path,
    environment: dict[str, str],
    serving: Callable[[Path], AbstractContextManager[str]],
    until: Callable[[Callable[[], object]], None],
) -> None:
    offer("toy", "miscope.testing.toy")
    root = tmp_path / "ws"
    queue = RunQueue(root)
    with serving(root) as address:
        body = {"family": "toy.sum", "params": {"seed": 1}, "threads": 1, "then_analyze": ["parameters.norms"]}
        asked(address, "trainings", body)
        until(lambda: lock_holder(queue.layout.supervisor))
        words = [sys.executable, "-c", NOTEBOOK, str(root)]
        with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as notebook:
            while notebook.poll() is None or any(run.state not in ENDED for run in queue.runs()):
                question = [sys.executable, "-m", "miscope", "ask", QUESTION, "--format", "csv", "-w", str(root)]
                told = subprocess.run(question, env=environment, capture_output=True, text=True, check=True)
                assert told.stderr == ""
                assert asked(address, "variants") is not None
                time.sleep(1)  # the others are to work, too
            assert notebook.stdout is not None
            assert notebook.stdout.read().split()[0] == "4"
        assert notebook.returncode == 0
        assert {run.state for run in queue.runs()} == {RunState.COMPLETED}
        assert len(asked(address, "variants")) == 2
    until(lambda: not lock_holder(queue.layout.supervisor))
