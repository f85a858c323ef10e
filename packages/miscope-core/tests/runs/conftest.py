"""A queue with a supervisor at work, for tests that start real processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from miscope.runs.run_queue import RunQueue
from miscope.runs.slots import Slots
from miscope.runs.supervisor import Supervisor, supervising
from miscope.store.ledger import Ledger

Working = Callable[..., AbstractContextManager[list[str]]]


@pytest.fixture
def place(offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace in force, for this process and for those it starts, with the toy families installed."""
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site-packages"))
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    return tmp_path / "ws"


@pytest.fixture
def working() -> Working:
    """working(queue): a supervisor at work on it while in the `with`; the lines that it says."""

    @contextmanager
    def serve(queue: RunQueue, at_once: int = 2) -> Iterator[list[str]]:
        lines: list[str] = []
        ended = threading.Event()
        supervisor = Supervisor(
            queue=queue, ledger=Ledger(queue.layout.ledger), slots=Slots(at_once=at_once), note=lines.append
        )

        def work() -> None:
            with supervising(queue):
                supervisor.serve(should_stop=ended.is_set)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield lines
        finally:
            ended.set()
            thread.join()

    return serve
