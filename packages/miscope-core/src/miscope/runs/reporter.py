"""The thread of a run's process that writes down how far it is, and hears what is asked of it.

A thread of its own, so that a stop is acknowledged while the process is busy importing, compiling or computing.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, final

from miscope.errors import MiscopeError
from miscope.pace import Pace
from miscope.runs.queued_run import QueuedRun, Reached
from miscope.runs.run_log import say
from miscope.runs.run_state import RunState

if TYPE_CHECKING:
    from collections.abc import Callable

    from miscope.outcome import Outcome
    from miscope.progress import Progress
    from miscope.runs.run_queue import RunQueue

__all__ = ["Reporter"]

_EVERY = 0.25
"""Seconds between two looks at the queue, and between two reports to it."""


@final
class Reporter:
    """What one run's process tells the queue, and what it is told; a context manager."""

    def __init__(self, queue: RunQueue, run: QueuedRun, signalled: Callable[[], bool]) -> None:
        """signalled: whether a signal asked the process to stop."""
        self._queue, self._number, self._signalled = queue, run.id, signalled
        self._began, self._worked_before = time.monotonic(), run.reached.seconds
        self._reached = replace(run.reached, eta=None, rate=None, message="")
        self._written: Reached | None = None
        self._steps: list[int] = []
        self._pace = Pace()
        self._stop, self._ended = threading.Event(), threading.Event()
        self._asked_for, self._saved = 0, 0
        self._thread = threading.Thread(target=self._serve, name="reporter", daemon=True)
        self._twentieth, self._logs, self._traced = -1, False, False
        self._complained = ""

    def __enter__(self) -> Reporter:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._write()

    def should_stop(self) -> bool:
        """Whether somebody asked the run to stop."""
        return self._stop.is_set() or self._signalled()

    def should_save(self) -> bool:
        """Whether somebody asked for a checkpoint since this was last asked."""
        wanted, self._saved = self._asked_for > self._saved, self._asked_for
        return wanted

    def step(self, seen: Progress) -> None:
        """Tell how far a training is."""
        self._note(seen.step, seen.total, ledger=seen.run, message=seen.message)
        metrics = {name: value for name, value in seen.metrics.items() if math.isfinite(value)}
        checkpoint = self._reached.checkpoint if seen.checkpoint is None else seen.step
        self._reached = replace(self._reached, metrics=metrics, checkpoint=checkpoint)
        if seen.checkpoint is not None:
            self._steps.append(seen.step)
        if seen.log:
            say(seen.log)
            self._logs = True
        if not self._logs:
            losses = " | ".join(f"{name} {value:.4g}" for name, value in metrics.items() if "/" not in name)
            self._print(f"step {seen.step} of {seen.total}" + f" | {losses}" * bool(losses), seen.step, seen.total)

    def job(self, seen: Outcome) -> None:
        """Tell how far an analysis is."""
        self._note(seen.done, seen.total, ledger=seen.run, message=seen.error.partition("\n")[0])
        if seen.error and seen.analyzers:
            say(f"{seen.state}: {', '.join(seen.analyzers)} of {seen.variant}: {seen.error}")
            if seen.trace and not self._traced:  # each job of a failing instrument would add the same
                say(seen.trace.rstrip())
                self._traced = True
        self._print(f"job {seen.done} of {seen.total}", seen.done, seen.total)

    def _note(self, done: int, total: int, *, ledger: str, message: str) -> None:
        self._pace.note(done)
        self._reached = replace(
            self._reached,
            done=done,
            total=total,
            rate=self._pace.rate,
            eta=self._pace.left(total),
            ledger=ledger or self._reached.ledger,
            message=message or self._reached.message,
        )

    def _print(self, line: str, done: int, total: int) -> None:
        """A line in the log at every twentieth of the way."""
        twentieth = done * 20 // max(total, 1)
        if twentieth > self._twentieth:
            self._twentieth = twentieth
            say(line)

    def _serve(self) -> None:
        while not self._ended.wait(_EVERY):
            self._write()
            try:
                self._hear()
            except MiscopeError as error:
                self._complain(error)

    def _complain(self, error: MiscopeError) -> None:
        """Say in the log that the queue cannot be used, once; the run goes on without it."""
        if str(error) != self._complained:
            self._complained = str(error)
            say(error)

    def _write(self) -> None:
        """What is known by now, unless that is written. A queue that cannot be written ends no run."""
        seconds = self._worked_before + time.monotonic() - self._began
        if self._reached == self._written:
            return
        saved = self._steps[:]  # before what is reached is looked at, which is then at these or further
        self._written = self._reached
        try:
            self._queue.reach(self._number, replace(self._written, seconds=seconds), saved)
        except MiscopeError as error:
            self._complain(error)
        else:
            del self._steps[: len(saved)]

    def _hear(self) -> None:
        run = self._queue.run(self._number)
        self._asked_for = run.save
        if self._signalled() and run.state is RunState.RUNNING:
            run = self._queue.move(self._number, RunState.STOPPING, "A signal asked its process to stop.")
        if run.state is RunState.STOPPING and not self._stop.is_set():
            self._stop.set()
            self._queue.acknowledge(self._number)
            say("asked to stop")
