"""Real servers, in a thread of the test's process or as a process, for what only a real connection shows."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

from miscope.runs.run_queue import RunQueue
from miscope.workspace import Workspace
from miscope_panel.http.connections import BoundedConnection
from miscope_panel.http.guard import LOOPBACK, Guard
from miscope_panel.http.problem import PREFIX
from miscope_panel.rest.queue_access import QueueAccess
from miscope_panel.rest.routes import add_rest
from miscope_panel.serving import Address, listen

Served = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="session")
def served() -> Served:
    """served(workspace, token=..., read_only=..., heartbeat=...): the address of a real server of /api/v1 over it."""

    @contextmanager
    def serve(
        workspace: Workspace, *, token: str | None = None, read_only: bool = False, port: int = 0, **more: Any
    ) -> Iterator[str]:
        queue, app = RunQueue(workspace.root), FastAPI(openapi_url=f"{PREFIX}/openapi.json")
        more = {"summon": lambda: None, **more}
        add_rest(app, QueueAccess(workspace=workspace, queue=queue, ending=lambda: server.should_exit, **more))
        guard = Guard(app, LOOPBACK, token, read_only=read_only)
        config = uvicorn.Config(
            guard, http=BoundedConnection, log_level="critical", lifespan="off", timeout_graceful_shutdown=2
        )
        server = uvicorn.Server(config)
        with listen(Address(port=port)) as bound:
            thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
            thread.start()
            try:
                yield f"http://127.0.0.1:{bound.getsockname()[1]}"
            finally:
                server.should_exit = True
                thread.join()
                queue.close()

    return serve


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a process that finds what was offered, and has one thread."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(tmp_path / "site-packages")}


@pytest.fixture
def serving(environment: dict[str, str]) -> Callable[[Path], AbstractContextManager[str]]:
    """serving(root): the address of a real server of that workspace; killed at the end of the `with`."""

    @contextmanager
    def serve(root: Path) -> Iterator[str]:
        words = [sys.executable, "-m", "miscope", "serve", "--no-open", "--port", "0", "--workspace", str(root)]
        with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            _, said = server.stdout.readline(), server.stdout.readline()
            try:
                yield said.removeprefix("at ").strip()
            finally:
                server.kill()

    return serve
