"""A wish to stop, heard at the next safe point: from Ctrl-C and SIGTERM, from the caller, from another process."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import final

__all__ = ["Ears", "stop_on_signals"]

_LOOK_EVERY = 0.2
"""Seconds between two looks for a stop request on disk."""

_DEFAULTS = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


@contextmanager
def stop_on_signals() -> Iterator[Callable[[], bool]]:
    """Whether a signal asked to stop; a second one interrupts at once.

    Signals that somebody else handles already, and threads other than the main one, are left alone.
    """
    asked: list[int] = []

    def ask(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    ours = []
    if threading.current_thread() is threading.main_thread():
        ours = [number for number, default in _DEFAULTS.items() if signal.getsignal(number) == default]
    for number in ours:
        signal.signal(number, ask)
    try:
        yield lambda: bool(asked)
    finally:
        for number in ours:
            signal.signal(number, _DEFAULTS[number])


@final
class Ears:
    """Whether anybody wants this to end."""

    def __init__(
        self, asked: Callable[[], bool], interrupted: Callable[[], bool], requested: Callable[[], bool]
    ) -> None:
        """requested: looks at a file, so it is asked less often than the others."""
        self._asked, self._interrupted, self._requested = asked, interrupted, requested
        self._looked = 0.0
        self.heard = False

    def listen(self) -> bool:
        """Whether there is a wish by now; once heard it stays."""
        self.heard = self.heard or self._asked() or self._interrupted()
        now = time.monotonic()
        if not self.heard and now - self._looked > _LOOK_EVERY:
            self._looked, self.heard = now, self._requested()
        return self.heard
