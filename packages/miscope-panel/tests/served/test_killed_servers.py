"""Whenever a server is killed: what it said it had taken is in the queue, and runs and their supervisor go on."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.process_identity import is_alive
from miscope.store.variant_lock import lock_holder

Serving = Callable[[Path], AbstractContextManager[str]]
Until = Callable[[Callable[[], object]], None]
SCRIPT = Path(__file__).parent / "killed_servers.py"


@pytest.fixture
def root(offer: Callable[[str, str], None], tmp_path: Path) -> Path:
    offer("toy", "miscope.testing.toy")
    return tmp_path / "ws"


def post(address: str, path: str, **body: object) -> Any:
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{address}api/v1/{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_twenty_servers_killed_at_any_moment_keep_every_run_that_they_said_they_had_taken(
    root: Path, environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(root), "20"], env=environment, stdout=subprocess.PIPE, check=True
    )
    told = json.loads(done.stdout)
    runs = {run.request.params["seed"]: run for run in RunQueue(root).runs()}  # type: ignore[union-attr]
    assert {seed: runs[int(seed)].id for seed in told["taken"]} == told["taken"]
    assert len(told["taken"]) <= len(runs) <= len(told["taken"]) + told["unanswered"]
    assert told["unanswered"] == 20
    assert {run.state for run in runs.values()} == {RunState.PENDING}


def test_a_run_and_its_supervisor_go_on_when_the_server_that_started_them_is_killed(
    root: Path, serving: Serving, until: Until
) -> None:
    queue = RunQueue(root)

    def seen() -> QueuedRun:
        return queue.run(1)

    long = {"training": {"checkpoints": "adaptive:3-20"}, "steps": 10**9, "threads": 1}
    with serving(root) as address:
        post(address, "trainings", family="toy.sum", **long)
        until(lambda: seen().reached.done > 0)
    before = seen()
    until(lambda: seen().reached.done > before.reached.done)
    assert is_alive(seen().host, seen().pid, seen().born)
    assert lock_holder(queue.layout.supervisor)
    with serving(root) as address:
        assert post(address, "trainings/1/stop")["state"] == "stopping"
        until(lambda: seen().state is RunState.STOPPED)
    assert (seen().turn, seen().reached.checkpoint) == (1, seen().reached.done)
    until(lambda: not lock_holder(queue.layout.supervisor))
