"""The executors every installation has: in this process, and in several processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar, final

from miscope.errors import BadValue, MiscopeError
from miscope.executor import Executor, ExecutorOptions
from miscope.interruption import signals_held

__all__ = ["Inline", "Processes", "WorkerDied", "prepare_worker"]

T = TypeVar("T")
R = TypeVar("R")


class WorkerDied(MiscopeError):
    """A worker process that died with its job."""

    def __init__(self, job: object, reason: str) -> None:
        super().__init__(f"A worker process died while it ran {job}.", reason, "Run it again with `--executor inline`.")


@final
class Inline(Executor):
    """One job after another, in this process."""

    name = "inline"

    @property
    def runs_here(self) -> bool:
        return True

    def run(
        self, work: Callable[[T], R], jobs: Iterable[T], *, lost: Callable[[T, str], R] | None = None
    ) -> Iterator[R]:
        for job in jobs:
            yield work(job)


@final
class Processes(Executor):
    """Several jobs at a time, each in a process of its own with one thread for tensors."""

    name = "processes"

    def __init__(self, workers: int | None = None) -> None:
        """workers: None for one per core this process may use."""
        self.workers = workers or _cores()

    @property
    def runs_here(self) -> bool:
        return True

    def configured(self, options: ExecutorOptions) -> Executor:
        if elsewhere := [name for name in options.given if name != "jobs"]:
            raise BadValue(
                f"The executor 'processes' takes no {' and no '.join(elsewhere)}.",
                "Its jobs run on this machine, each in a process of its own.",
                "Leave that out, or name an executor of many machines:  --executor dask",
            )
        return Processes(options.jobs) if options.jobs else self

    @contextmanager
    def open(self) -> Iterator[Executor]:
        """The processes, which are started as jobs need them and keep what they have imported from run to run."""
        pools = _Pools(self.workers)
        try:
            yield pools
        finally:
            pools.close()

    def run(
        self, work: Callable[[T], R], jobs: Iterable[T], *, lost: Callable[[T, str], R] | None = None
    ) -> Iterator[R]:
        with self.open() as opened:
            yield from opened.run(work, jobs, lost=lost)


@final
class _Pools(Executor):
    """The processes of an executor that is open: a pool, and another where a job killed one."""

    name = Processes.name

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        """None before the first job, and once a worker has died."""

    def run(
        self, work: Callable[[T], R], jobs: Iterable[T], *, lost: Callable[[T, str], R] | None = None
    ) -> Iterator[R]:
        waiting = iter(jobs)
        while True:
            orphans: list[T] = []
            yield from self._until_one_dies(work, waiting, orphans)
            if not orphans:
                return
            self.close()
            for job in orphans:
                yield self._alone(work, job, lost)

    def close(self) -> None:
        """Wait for what is running, and end the processes."""
        if self._pool is not None:
            _kill_left_over(self._pool)
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _until_one_dies(self, work: Callable[[T], R], waiting: Iterator[T], orphans: list[T]) -> Iterator[R]:
        """Results until the jobs end or a worker dies; then what was under way is left in `orphans`."""
        running: dict[Future[R], T] = {}
        try:
            while not orphans:
                for job in islice(waiting, self._workers - len(running)):
                    running[self._submit(work, job)] = job
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    job = running.pop(future)
                    try:
                        result = future.result()
                    except BrokenProcessPool:
                        orphans.append(job)
                    else:
                        yield result
            orphans.extend(running.values())
        finally:
            for future in running:
                future.cancel()
            wait(running)

    def _submit(self, work: Callable[[T], R], job: T) -> Future[R]:
        self._pool = self._pool or _pool(self._workers)
        try:
            # It starts its processes as jobs come.
            with signals_held():
                return self._pool.submit(work, job)
        except (BrokenProcessPool, OSError) as error:
            # Where a process dies while another is being started, the pool takes away what that one is to be given.
            if isinstance(error, OSError) and not getattr(self._pool, "_broken", False):
                raise
            broken: Future[R] = Future()
            broken.set_exception(BrokenProcessPool(str(error)))
            return broken

    def _alone(self, work: Callable[[T], R], job: T, lost: Callable[[T, str], R] | None) -> R:
        """The pool does not say whose job killed it, so each that was under way is tried once more by itself."""
        with _pool(1) as pool:
            try:
                with signals_held():
                    again = pool.submit(work, job)
                return again.result()
            except BrokenProcessPool as error:
                reason = "It was killed, ran out of memory, or crashed in native code, twice in a row."
                if lost is None:
                    raise WorkerDied(job, reason) from error
                return lost(job, reason)


def _pool(workers: int) -> ProcessPoolExecutor:
    # Not fork: a child of a process whose threads hold locks (tensors, plots) may never get them.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=prepare_worker)


def _kill_left_over(pool: ProcessPoolExecutor) -> None:
    """End what a pool still has of processes once one of them died.

    The pool ends them itself, but for one that was just being started: for that it then waits for ever.
    """
    if getattr(pool, "_broken", False):
        for process in list((getattr(pool, "_processes", None) or {}).values()):
            process.kill()


def prepare_worker() -> None:
    """A worker ends with its parent, and takes one core."""
    threading.Thread(target=_end_with_parent, name="miscope-parent", daemon=True).start()
    # Read by the numerical libraries when they are first imported, which is cheaper than importing them for this.
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def _end_with_parent() -> None:
    """Wait for the end of the process that started this one, however it ends, and end at once: nobody takes results."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
