"""Jobs shared out among workers: as many at a time as there is room for, and what became of each as it comes."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TypeVar, cast, final

from distributed import CancelledError, Client, Future, KilledWorker, wait
from distributed import TimeoutError as NotYet

from miscope import Executor, ExecutorOptions
from miscope.analysis.executors import WorkerDied
from miscope_dask.answering import NoScheduler
from miscope_dask.tasks import done_there, key_of
from miscope_dask.workers import Unready, versions_needed

__all__ = ["Sharing"]

T = TypeVar("T")
R = TypeVar("R")

_LOOK_EVERY = 2.0
"""Seconds between two looks at how many workers there are."""


@final
class Sharing(Executor):
    """The executor while it is connected."""

    name = "dask"

    def __init__(self, client: Client, options: ExecutorOptions, *, say: Callable[[str], object]) -> None:
        """say: is told what somebody who waits should know."""
        self._client, self._options, self._say = client, options, say
        self._versions = versions_needed()
        self._workers, self._looked = 0, 0.0

    def run(
        self, work: Callable[[T], R], jobs: Iterable[T], *, lost: Callable[[T, str], R] | None = None
    ) -> Iterator[R]:
        waiting = iter(jobs)
        running: dict[Future, T] = {}
        try:
            while True:
                self._fill(work, waiting, running)
                if not running:
                    return
                for future in self._some_done(running):
                    job = running.pop(future)
                    outcome = self._outcome(future, job, lost)
                    self._fill(work, waiting, running)
                    yield outcome
        finally:
            while running:
                for future in self._some_done(running):
                    running.pop(future)

    def _fill(self, work: Callable[[T], R], waiting: Iterator[T], running: dict[Future, T]) -> None:
        for job in islice(waiting, max(0, self._room() - len(running))):
            sent = pickle.dumps((work, job))
            running[self._submit(sent, key_of(job))] = job

    def _submit(self, sent: bytes, key: str) -> Future:
        wanted = dict(self._options.resources) or None
        return self._client.submit(done_there, sent, self._versions, key=key, resources=wanted, pure=False)

    def _room(self) -> int:
        """How many jobs may be under way."""
        if self._options.jobs is not None:
            return self._options.jobs
        if time.monotonic() - self._looked > _LOOK_EVERY or not self._workers:
            before, self._workers = self._workers, len(cast("dict[str, int]", self._client.nthreads()))
            if not self._workers and (before or not self._looked):
                self._say(f"{self._address} has no worker yet; the jobs wait for one.")
            self._looked = time.monotonic()
        return max(1, self._workers)

    def _some_done(self, running: Iterable[Future]) -> list[Future]:
        """Those that are over; none where nothing ended for a while, so that one looks whether there is more room."""
        with self._client.as_current(), suppress(CancelledError, NotYet):
            wait(list(running), timeout=_LOOK_EVERY, return_when="FIRST_COMPLETED")
        return [future for future in running if future.done()]

    def _outcome(self, future: Future, job: T, lost: Callable[[T, str], R] | None) -> R:
        try:
            return future.result()
        except (KilledWorker, Unready) as error:
            if lost is None:
                raise WorkerDied(job, _why(error)) from error
            return lost(job, _why(error))
        except CancelledError as error:
            raise NoScheduler(self._address, "It did, and is gone; what its workers had saved is kept.") from error
        finally:
            # A result that is still wanted would be computed anew if its worker died.
            future.release()

    @property
    def _address(self) -> str:
        return str(self._client.scheduler and self._client.scheduler.address)


def _why(error: KilledWorker | Unready) -> str:
    if isinstance(error, KilledWorker):
        return f"{error.allowed_failures + 1} workers died of it, one after the other: killed, or out of memory."
    return str(error)
