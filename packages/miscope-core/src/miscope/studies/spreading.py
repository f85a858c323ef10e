"""The runs of a study as jobs of an executor: names and numbers go there, and what became of them comes back."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from platform import node
from typing import TYPE_CHECKING, final

from miscope.analysis.perform import Portable
from miscope.errors import Busy
from miscope.executor import Executor
from miscope.request import read_request
from miscope.store.atomic import explaining, make_folder
from miscope.studies.attempting import Ending, RunResult, attempt, run_here
from miscope.studies.planning import PlannedRun

if TYPE_CHECKING:
    from miscope.outcome import Outcome
    from miscope.progress import Progress
    from miscope.request import Request
    from miscope.workspace import Workspace

__all__ = ["spread"]

_POLL_EVERY = 0.2
"""Seconds between two looks for a request to stop."""
_LOCKS_OF_THE_DEAD = 120.0
"""Seconds after which a network disk has taken back what a machine held that is gone: NFS needs 90."""


@final
@dataclass(frozen=True, kw_only=True)
class _RunJob:
    """A run, by names and numbers."""

    title: str
    """'s1: toy.sum/v5-seed1, new, to step 4'."""
    place: int
    """In the plan."""
    requests: tuple[str, ...]
    """As JSON."""
    step: int
    """That its training reached before."""
    study: str
    """The name of two files in the workspace: one is there all the while, the other once somebody asked to stop."""

    def __str__(self) -> str:
        return f"make {self.title}"


def spread(
    executor: Executor,
    workspace: Workspace,
    plan: Sequence[PlannedRun],
    should_stop: Callable[[], bool],
    retries: int = 0,
) -> Iterator[tuple[int, RunResult]]:
    """What became of each run, with its place in the plan, in the order in which they end.

    A run is analyzed where it was trained. should_stop: asked several times a second; no run begins then, and those
    under way are told by a file, which all machines see that share the workspace. So they are where the iterator is
    closed before its end. retries: how often those that failed are tried again, once the others are over.
    """
    token = secrets.token_hex(8)
    going, stop = workspace.store.layout.study_going(token), workspace.store.layout.study_stop(token)
    jobs = [_job(place, planned, token) for place, planned in enumerate(plan)]
    with _there(going), _told(stop, should_stop), executor.open() as opened:
        for left in range(retries, -1, -1):
            results = opened.run(partial(_done, Portable(workspace)), _until(should_stop, jobs), lost=_lost)
            failed: dict[int, RunResult] = {}
            try:
                for place, last in results:
                    result = replace(last, attempts=retries - left + 1)
                    if left and result.ending is Ending.FAILED and not should_stop():
                        failed[place] = result
                    else:
                        yield place, result
            except GeneratorExit:
                _tell(stop)
                if isinstance(results, Generator):
                    results.close()
                raise
            if should_stop():
                yield from failed.items()
                return
            jobs = [job for job in jobs if job.place in failed]


def _job(place: int, planned: PlannedRun, study: str) -> _RunJob:
    """The job of a run, whose analysis is computed where the run is."""
    train, analyze = planned.train, planned.run.analyze
    here = None if analyze is None else analyze.model_copy(update={"executor": "inline"})
    requests = tuple(request.model_dump_json() for request in (train, here) if request is not None)
    title = f"{planned.run.name}: {planned.run.variant.name}, {planned}"
    return _RunJob(title=title, place=place, requests=requests, step=planned.step, study=study)


def _until(should_stop: Callable[[], bool], jobs: Iterable[_RunJob]) -> Iterator[_RunJob]:
    for job in jobs:
        if should_stop():
            return
        yield job


def _done(place: Portable, job: _RunJob) -> tuple[int, RunResult]:
    """Do the job, wherever this is. Never raises: a failure is a result."""
    workspace = place.workspace
    if not workspace.store.layout.study_going(job.study).exists():
        return job.place, RunResult(ending=Ending.FAILED, step=job.step, error=_another_folder(workspace.root))
    stopped = _Stopped(workspace.store.layout.study_stop(job.study))
    if stopped():
        return job.place, RunResult(ending=Ending.STOPPED, step=job.step)
    requests = [read_request(each) for each in job.requests]
    trying = attempt(workspace, requests, step=job.step, should_stop=stopped, perform=_once_free)
    while True:
        try:
            next(trying)
        except StopIteration as end:
            return job.place, end.value


def _once_free(workspace: Workspace, request: Request, should_stop: Callable[[], bool]) -> Iterator[Progress | Outcome]:
    """Do what is asked for; where another machine has the variant, once that let go of it.

    It may be gone, with the process that made this run before; then a network disk keeps its lock for a while.
    """
    patience = time.monotonic() + _LOCKS_OF_THE_DEAD
    while True:
        try:
            yield from run_here(workspace, request, should_stop)
        except Busy as busy:
            if not busy.elsewhere or should_stop() or time.monotonic() > patience:
                raise
            time.sleep(_POLL_EVERY)
        else:
            return


def _another_folder(root: Path) -> str:
    return (
        f"The folder {root} on {node()} is not the workspace that the study is run in.\n"
        "It has the same path there, and another content.\n"
        "Keep the workspace on a disk that all machines see under the same path."
    )


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
    stop.touch()


@contextmanager
def _there(going: Path) -> Iterator[None]:
    """Meanwhile, the file is there."""
    make_folder(going.parent)
    with explaining(going):
        going.touch()
    try:
        yield
    finally:
        with suppress(OSError):
            going.unlink(missing_ok=True)


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
