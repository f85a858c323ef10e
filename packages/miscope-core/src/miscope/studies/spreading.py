"""The runs of a study as jobs of an executor: names and numbers go there, and what became of them comes back."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, final

from miscope.analysis.perform import Portable
from miscope.executor import Executor
from miscope.request import read_request
from miscope.store.atomic import make_folder
from miscope.studies.attempting import Ending, RunResult, attempt
from miscope.studies.planning import PlannedRun

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["spread"]

_POLL_EVERY = 0.2
"""Seconds between two looks for a request to stop."""


@final
@dataclass(frozen=True, kw_only=True)
class _RunJob:
    """A run, by names and numbers."""

    place: int
    """In the plan."""
    requests: tuple[str, ...]
    """As JSON."""
    step: int
    """That its training reached before."""
    stop: str
    """The name of a file in the workspace, which is there once somebody asked to stop."""


def spread(
    executor: Executor, workspace: Workspace, plan: Sequence[PlannedRun], should_stop: Callable[[], bool]
) -> Iterator[tuple[int, RunResult]]:
    """What became of each run, with its place in the plan, in the order in which they end.

    A run is analyzed where it was trained. should_stop: asked several times a second; no run begins then, and those
    under way are told by a file, which all machines see that share the workspace. So they are where the iterator is
    closed before its end.
    """
    token = secrets.token_hex(8)
    stop = workspace.store.layout.study_stop(token)
    jobs = (_job(place, planned, token) for place, planned in enumerate(plan))
    with _told(stop, should_stop), executor.open() as opened:
        results = opened.run(partial(_done, Portable(workspace)), _until(should_stop, jobs), lost=_lost)
        try:
            for result in results:  # noqa: UP028 - closed by that, it would wait for what is under way untold
                yield result
        except GeneratorExit:
            _tell(stop)
            if isinstance(results, Generator):
                results.close()
            raise


def _job(place: int, planned: PlannedRun, stop: str) -> _RunJob:
    """The job of a run, whose analysis is computed where the run is."""
    train, analyze = planned.train, planned.run.analyze
    here = None if analyze is None else analyze.model_copy(update={"executor": "inline"})
    requests = tuple(request.model_dump_json() for request in (train, here) if request is not None)
    return _RunJob(place=place, requests=requests, step=planned.step, stop=stop)


def _until(should_stop: Callable[[], bool], jobs: Iterator[_RunJob]) -> Iterator[_RunJob]:
    for job in jobs:
        if should_stop():
            return
        yield job


def _done(place: Portable, job: _RunJob) -> tuple[int, RunResult]:
    """Do the job, wherever this is. Never raises: a failure is a result."""
    workspace = place.workspace
    stopped = _Stopped(workspace.store.layout.study_stop(job.stop))
    requests = [read_request(each) for each in job.requests]
    trying = attempt(workspace, requests, step=job.step, should_stop=stopped)
    while True:
        try:
            next(trying)
        except StopIteration as end:
            return job.place, end.value


def _lost(job: _RunJob, reason: str) -> tuple[int, RunResult]:
    error = f"The process that made this run died.\n{reason}\nThe same command goes on from what it had saved."
    return job.place, RunResult(ending=Ending.FAILED, step=job.step, error=error)


@final
class _Stopped:
    """Whether the file is there; looked for a few times a second, however often it is asked."""

    def __init__(self, path: Path) -> None:
        self._path, self._looked, self._there = path, 0.0, False

    def __call__(self) -> bool:
        now = time.monotonic()
        if not self._there and now - self._looked > _POLL_EVERY:
            self._looked, self._there = now, self._path.exists()
        return self._there


def _tell(stop: Path) -> None:
    make_folder(stop.parent)
    stop.touch()


@contextmanager
def _told(stop: Path, should_stop: Callable[[], bool]) -> Iterator[None]:
    """Meanwhile, the file is made as soon as somebody asks to stop: this thread may be waiting for a run's end."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_POLL_EVERY):
            if should_stop():
                _tell(stop)
                return

    watching = threading.Thread(target=watch, name="miscope-study-stop", daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()
        with suppress(OSError):
            stop.unlink(missing_ok=True)
