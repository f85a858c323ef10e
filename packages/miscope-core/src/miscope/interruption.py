"""A request to stop, taken at the next safe point: from Ctrl-C and SIGTERM, from the caller, from another process."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import final

__all__ = [
    "SAID",
    "SignalFlag",
    "StopSignal",
    "Terminated",
    "ended_by_signals",
    "signals_held",
    "signals_interrupt",
    "stop_on_signals",
]

SAID = {signal.SIGINT: "Interrupted.", signal.SIGTERM: "Terminated."}
"""What a command says last."""

_POLL_EVERY = 0.2
"""Seconds between two checks for a stop request on disk."""


@final
class Terminated(KeyboardInterrupt):
    """SIGTERM where it interrupts as Ctrl-C does, so that what was begun is tidied up."""


@final
class SignalFlag:
    """Whether a signal asked to stop; a second one interrupts at once."""

    def __init__(self) -> None:
        self.signal: int | None = None
        """The one that asked."""

    def __call__(self) -> bool:
        return self.signal is not None

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        if self.signal is not None:
            _interrupt(number, frame)
        self.signal = number

    @property
    def exit_code(self) -> int:
        """What a process says that ends early because of it: 143 for SIGTERM; 130 for Ctrl-C, or another's request."""
        return 128 + (self.signal or signal.SIGINT)


@contextmanager
def stop_on_signals() -> Iterator[SignalFlag]:
    """Whether a signal asked to stop, while in the `with`.

    Signals that somebody else handles already, and threads other than the main one, are left alone.
    """
    flag = SignalFlag()
    before = {}
    if threading.current_thread() is threading.main_thread():
        free = {signal.SIGINT: (signal.default_int_handler, _interrupt), signal.SIGTERM: (signal.SIG_DFL, _interrupt)}
        before = {number: now for number, known in free.items() if (now := signal.getsignal(number)) in known}
    for number in before:
        signal.signal(number, flag.handle)
    try:
        yield flag
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def signals_interrupt() -> Iterator[None]:
    """Have Ctrl-C raise KeyboardInterrupt and SIGTERM Terminated, while in the `with`, where nobody handles them.

    While a module is imported they end the process at once: native code that is interrupted half-way, as PyTorch's,
    aborts. Only in the main thread.
    """
    with _handled(_interrupt):
        yield


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Have Ctrl-C and SIGTERM end the process with 130 or 143 at once, while in the `with`: nothing was begun yet."""
    with _handled(_end):
        yield


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """By this handler, in the main thread, where nobody handles them."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        free = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
        before = {number: alone for number, alone in free.items() if signal.getsignal(number) == alone}
    for number in before:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, alone in before.items():
            signal.signal(number, alone)


def _interrupt(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            _end(number, frame)
        frame = frame.f_back
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _end(number: int, frame: FrameType | None) -> None:
    with suppress(OSError):
        # A bar may have hidden the cursor.
        shown = "\033[?25h" if os.isatty(2) else ""
        os.write(2, f"{shown}{SAID[signal.Signals(number)]}\n".encode())
    os._exit(128 + number)


@contextmanager
def signals_held() -> Iterator[None]:
    """Meanwhile this thread takes no SIGINT and no SIGTERM; what threads and processes it starts never take any.

    A terminal, or `timeout`, signals every process of a group: one that works for another leaves the answer to that.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # It comes with the first process otherwise, and lets the signals through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@final
class StopSignal:
    """Whether anybody wants this to end."""

    def __init__(
        self, asked: Callable[[], bool], interrupted: Callable[[], bool], requested: Callable[[], bool]
    ) -> None:
        """requested: reads a file, so it is asked less often than the others."""
        self._asked, self._interrupted, self._requested = asked, interrupted, requested
        self._polled = 0.0
        self.received = False

    def poll(self) -> bool:
        """Whether there is a request by now; once received it stays."""
        self.received = self.received or self._asked() or self._interrupted()
        now = time.monotonic()
        if not self.received and now - self._polled > _POLL_EVERY:
            self._polled, self.received = now, self._requested()
        return self.received
