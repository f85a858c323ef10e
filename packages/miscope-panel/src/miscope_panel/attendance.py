"""Sees to it that somebody works through the queue, for as long as the server lives."""

from __future__ import annotations

import logging
import signal
import threading
from typing import final

from miscope.errors import MiscopeError
from miscope.runs.run_queue import RunQueue
from miscope.runs.supervisor import supervisor_process

__all__ = ["Attendance"]

_log = logging.getLogger("miscope.serve")

_AGAIN = (0, -signal.SIGKILL)
"""How a supervisor ends that may have left something: after what it took for the last run, or killed. One that found
another there, or that a person stopped, left nothing to us."""


@final
class Attendance:
    """Starts a supervisor when it is called and there is work, one at a time however often it is called."""

    def __init__(self, queue: RunQueue) -> None:
        self._queue = queue
        self._called, self._turn = threading.Event(), threading.Lock()
        self._thread: threading.Thread | None = None

    def call(self) -> None:
        """Say that there is something to work on; returns at once."""
        self._called.set()
        with self._turn:
            if self._thread is None:
                self._thread = threading.Thread(target=self._attend, name="miscope-attendance", daemon=True)
                self._thread.start()

    def look(self) -> None:
        """Call, if there is something to work on: a run that could begin, or one whose process may be gone."""
        if self._queue.busy():
            self.call()

    def _attend(self) -> None:
        # A supervisor whom a run comes to late looks once more after its end; so whoever calls while one is there is
        # heard by it, or by the next that is started here.
        while self._called.wait():
            self._called.clear()
            try:
                if (
                    self._queue.busy()
                    and supervisor_process(self._queue.layout.root).wait() in _AGAIN
                    and self._queue.busy()
                ):
                    self._called.set()
            except MiscopeError as error:
                _log.warning("%s", error)
