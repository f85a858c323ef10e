"""One run of a study is tried: its requests one after the other, and what became of them. A failure is a result."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias, final

from miscope.failure import Failure, tried
from miscope.outcome import Outcome, State
from miscope.progress import Progress
from miscope.running import run

if TYPE_CHECKING:
    from miscope.request import Request
    from miscope.workspace import Workspace

__all__ = ["Ending", "Perform", "RunResult", "attempt", "run_here"]

Perform: TypeAlias = "Callable[[Workspace, Request, Callable[[], bool]], Iterator[Progress | Outcome]]"
"""Does what a request asks for, until it is told to stop, and says how far it is."""


def run_here(
    workspace: Workspace, request: Request, should_stop: Callable[[], bool]
) -> Iterator[Progress] | Iterator[Outcome]:
    """Do what the request asks for in this process."""
    return run(workspace, request, should_stop=should_stop)


class Ending(enum.StrEnum):
    """How a run of a study ended."""

    DONE = "done"
    SKIPPED = "skipped"
    """Everything was there already."""
    FAILED = "failed"
    STOPPED = "stopped"


@final
@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What became of a run."""

    ending: Ending = Ending.SKIPPED
    step: int = 0
    """That its training reached."""
    saved: int = 0
    """Artifacts that were computed."""
    seconds: float = 0.0
    """Wall time, of training and analysis together."""
    error: str = ""
    """Why it failed, in sentences."""
    attempts: int = 1
    """How often it was tried."""
    trace: str = ""
    """Python's traceback, where the failure was not one that miscope explains."""


def attempt(
    workspace: Workspace,
    requests: Sequence[Request],
    *,
    step: int,
    should_stop: Callable[[], bool],
    perform: Perform = run_here,
) -> Generator[Progress | Outcome, None, RunResult]:
    """Do what the requests ask for, as far as one iterates; those after one that failed or was stopped are left.

    step: that the training reached before. Raises nothing but what ends a program.
    """
    began, result = time.monotonic(), RunResult(step=step)
    for request in requests:
        for what in _guarded(lambda request=request: perform(workspace, request, should_stop)):
            if isinstance(what, Failure):
                result = replace(result, ending=Ending.FAILED, error=what.error, trace=what.trace)
            else:
                result = _after(result, what)
                yield what
        if result.ending in (Ending.FAILED, Ending.STOPPED):
            break
    return replace(result, seconds=time.monotonic() - began)


def _after(result: RunResult, what: Progress | Outcome) -> RunResult:
    """What has become of the run once this was seen of it: it counts as stopped until nothing is left of a request."""
    if isinstance(what, Progress):
        over = Ending.DONE if what.run else result.ending
        return replace(result, step=what.step, ending=Ending.STOPPED if what.step < what.total else over)
    if what.state is State.FAILED and result.ending is not Ending.FAILED:
        at = "" if what.step is None else f" at step {what.step}"
        error = f"{', '.join(what.analyzers)} failed{at}: {what.error}"
        return replace(result, ending=Ending.FAILED, error=error, trace=what.trace)
    saved = result.saved + (len(what.analyzers) if what.state is State.SAVED else 0)
    if result.ending is Ending.FAILED:
        return replace(result, saved=saved)
    over = Ending.SKIPPED if result.ending is Ending.SKIPPED and not saved else Ending.DONE
    return replace(result, saved=saved, ending=Ending.STOPPED if what.done < what.total else over)


def _guarded(
    work: Callable[[], Iterator[Progress | Outcome]],
) -> Iterator[Progress | Outcome | Failure]:
    """What the work yields, and last of all why it failed, if it did."""

    def begun() -> Iterator[Progress | Outcome]:
        yield from work()

    steps = begun()
    while (what := tried(lambda: next(steps, None))) is not None:
        yield what
        if isinstance(what, Failure):
            return
