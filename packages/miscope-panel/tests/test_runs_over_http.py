"""The whole way, with the real server on loopback and real processes: a script that knows paths and JSON alone.

Of a run that goes on, `served/test_openapi_script.py` knows more.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from miscope.runs.run_queue import RunQueue
from miscope.store.variant_lock import lock_holder
from miscope.train_request import TrainRequest


@dataclass(frozen=True)
class Script:
    """Somebody who knows an address, paths and JSON."""

    address: str

    def ask(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """What is answered; an error where the request is refused."""
        url = f"{self.address}api/v1/{path}?{urlencode(query, doseq=True)}"
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, content, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def get(self, path: str, **query: object) -> Any:
        return self.ask("GET", path, **query)

    def listen(self, heard: list[tuple[int, str]]) -> None:
        """Append the number and the state of every run in every event, until the stream ends."""
        with urllib.request.urlopen(f"{self.address}api/v1/events", timeout=600) as lines:
            for line in lines:
                if line.startswith(b"data: "):
                    run = json.loads(line[6:])["run"]
                    heard.append((run["id"], run["state"]))

    def post(self, path: str, **body: object) -> Any:
        return self.ask("POST", path, body)


FIRST = "toy.sum/v5-seed0-width16"


@pytest.fixture
def root(offer: Callable[[str, str], None], tmp_path: Path) -> Path:
    """A workspace where a training waits since before the server was there, which cannot write its variant."""
    offer("toy", "miscope.testing.toy")
    root = tmp_path / "ws"
    (root / "variants" / "toy.sum").mkdir(parents=True)
    (root / "variants" / FIRST).write_text("in the way")
    RunQueue(root).submit(TrainRequest(family="toy.sum", threads=1), what=FIRST)
    return root


@pytest.fixture
def script(root: Path, tmp_path: Path) -> Iterator[Script]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(tmp_path / "site-packages")}
    command = [sys.executable, "-m", "miscope", "serve", "--no-open", "--port", "0", "--workspace", str(root)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as server:  # type: ignore[call-overload]
        assert server.stdout is not None
        server.stdout.readline()
        address = re.fullmatch(r"at (http://\S+)\n", server.stdout.readline())
        assert address is not None
        yield Script(address[1])
        server.send_signal(signal.SIGTERM)
        _, errors = server.communicate()
    assert (server.returncode, errors) == (0, "")
    waited(lambda: not lock_holder(RunQueue(root).layout.supervisor))


def waited(condition: Callable[[], object]) -> None:
    """For as long as the slowest machine may take."""
    patience = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < patience, "it never came"
        time.sleep(0.3)


def test_a_script_starts_stops_retries_reads_deletes_and_restores(script: Script, root: Path) -> None:
    def seen(number: int) -> Any:
        return script.get(f"trainings/{number}")

    heard: list[tuple[int, str]] = []
    threading.Thread(target=script.listen, args=[heard], daemon=True).start()
    waited(lambda: seen(1)["state"] == "failed")
    assert "cannot be written" in seen(1)["error"]
    (root / "variants" / FIRST).unlink()
    retried = script.post("trainings/1/retry")
    assert (retried["id"], retried["retry_of"], retried["attempt"]) == (2, 1, 2)

    long = {"params": {"seed": 1}, "training": {"checkpoints": "adaptive:3-20"}, "steps": 10**9, "threads": 1}
    assert script.post("trainings", family="toy.sum", **long)["id"] == 3
    waited(lambda: seen(3)["done"] > 0)
    assert script.post("trainings/3/stop")["state"] == "stopping"
    waited(lambda: seen(3)["state"] == "stopped")

    waited(lambda: seen(2)["state"] == "completed")
    assert script.get("trainings/2/metrics", names="train_loss")["metrics"]["train_loss"]["steps"] == list(range(31))
    assert [each["step"] for each in script.get("trainings/2/checkpoints")["checkpoints"]] == [0, 10, 20, 30]
    assert script.get("trainings/2/log")["lines"][-1] == "run 2: completed"

    assert script.ask("DELETE", "trainings/3")["deleted"]
    assert [run["id"] for run in script.get("trainings")["data"]] == [2, 1]
    script.post("trainings/3/restore")
    assert [run["id"] for run in script.get("trainings", state=["completed", "stopped"])["data"]] == [3, 2]
    waited(lambda: heard[-1:] == [(3, "stopped")])
    assert {(1, "failed"), (2, "pending"), (2, "completed"), (3, "running"), (3, "stopping")} <= set(heard)
