"""The runs of a study, one after the other: each is trained and analyzed, and one that fails ends none but itself."""

from __future__ import annotations

import enum
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias, final

from miscope.errors import MiscopeError
from miscope.outcome import Outcome, State
from miscope.progress import Progress
from miscope.running import run
from miscope.studies.planning import PlannedRun, Presence

if TYPE_CHECKING:
    from miscope.request import Request
    from miscope.workspace import Workspace

__all__ = ["Begun", "Ended", "Ending", "Perform", "Seen", "sweep"]


class Ending(enum.StrEnum):
    """How a run of a study ended."""

    DONE = "done"
    SKIPPED = "skipped"
    """Everything was there already."""
    FAILED = "failed"
    STOPPED = "stopped"


@final
@dataclass(frozen=True, kw_only=True)
class Begun:
    """A run begins."""

    planned: PlannedRun


@final
@dataclass(frozen=True, kw_only=True)
class Seen:
    """How far a run is."""

    planned: PlannedRun
    what: Progress | Outcome


@final
@dataclass(frozen=True, kw_only=True)
class Ended:
    """A run is over."""

    planned: PlannedRun
    ending: Ending
    step: int
    """That its training reached."""
    saved: int = 0
    """Artifacts that were computed."""
    seconds: float = 0.0
    """Wall time, of training and analysis together."""
    error: str = ""
    """Why it failed, in sentences."""
    trace: str = ""
    """Python's traceback, where the failure was not one that miscope explains."""
    left: float | None = None
    """Seconds until all are done, at the pace so far; None while nobody knows."""

    def as_row(self) -> dict[str, object]:
        """As JSON has it, without its traceback."""
        run = self.planned.run
        names = {"name": run.name, "variant": run.variant.name, "ending": self.ending.value}
        return {**names, "step": self.step, "saved": self.saved, "seconds": self.seconds, "error": self.error or None}


Perform: TypeAlias = "Callable[[Workspace, Request, Callable[[], bool]], Iterator[Progress] | Iterator[Outcome]]"
"""Does what a request asks for, until it is told to stop, and says how far it is."""


def _run_here(
    workspace: Workspace, request: Request, should_stop: Callable[[], bool]
) -> Iterator[Progress] | Iterator[Outcome]:
    return run(workspace, request, should_stop=should_stop)


def sweep(
    workspace: Workspace,
    plan: Sequence[PlannedRun],
    *,
    should_stop: Callable[[], bool] = lambda: False,
    perform: Perform = _run_here,
) -> Iterator[Begun | Seen | Ended]:
    """Do what the plan says, run by run; works only as far as one iterates.

    What fails is an `Ended` that says why, and the next run begins. should_stop: asked before each run, and handed on
    to `perform`; what is under way ends at a step to go on from.
    """
    taken, made = 0.0, 0
    for place, planned in enumerate(plan):
        if should_stop():
            return
        yield Begun(planned=planned)
        began = time.monotonic()
        ended = yield from _one(workspace, planned, should_stop, perform)
        seconds = time.monotonic() - began
        if ended.step > planned.step:
            taken, made = taken + seconds, made + ended.step - planned.step
        rest = sum(each.left for each in plan[place + 1 :])
        left = taken / made * rest if made else None
        yield replace(ended, seconds=seconds, left=left if rest else 0.0)


def _one(
    workspace: Workspace, planned: PlannedRun, should_stop: Callable[[], bool], perform: Perform
) -> Generator[Seen, None, Ended]:
    """Train as far as is left, then analyze what is left; what became of it."""
    ended = Ended(planned=planned, ending=Ending.SKIPPED, step=planned.step)
    requests = (None if planned.presence is Presence.FINISHED else planned.run.train, planned.run.analyze)
    for request in (each for each in requests if each is not None):
        for what in _attempted(lambda request=request: perform(workspace, request, should_stop)):
            if isinstance(what, _Failure):
                return replace(ended, ending=Ending.FAILED, error=what.error, trace=what.trace)
            ended = _after(ended, what)
            yield Seen(planned=planned, what=what)
        if ended.ending in (Ending.FAILED, Ending.STOPPED):
            return ended
    return ended


def _after(ended: Ended, what: Progress | Outcome) -> Ended:
    """What has become of the run once this was seen of it: it counts as stopped until nothing is left of a request."""
    if isinstance(what, Progress):
        over = Ending.DONE if what.run else ended.ending
        return replace(ended, step=what.step, ending=Ending.STOPPED if what.step < what.total else over)
    if what.state is State.FAILED and ended.ending is not Ending.FAILED:
        at = "" if what.step is None else f" at step {what.step}"
        error = f"{', '.join(what.analyzers)} failed{at}: {what.error}"
        return replace(ended, ending=Ending.FAILED, error=error, trace=what.trace)
    saved = ended.saved + (len(what.analyzers) if what.state is State.SAVED else 0)
    if ended.ending is Ending.FAILED:
        return replace(ended, saved=saved)
    over = Ending.SKIPPED if ended.ending is Ending.SKIPPED and not saved else Ending.DONE
    return replace(ended, saved=saved, ending=Ending.STOPPED if what.done < what.total else over)


@final
@dataclass(frozen=True, kw_only=True)
class _Failure:
    """Why a request could not be done."""

    error: str
    trace: str = ""


def _attempted(
    work: Callable[[], Iterator[Progress] | Iterator[Outcome]],
) -> Iterator[Progress | Outcome | _Failure]:
    """What the work yields, and last of all why it failed, if it did."""

    def begun() -> Iterator[Progress | Outcome]:
        yield from work()

    steps = begun()
    while True:
        try:
            what = next(steps, None)
        except MiscopeError as error:
            yield _Failure(error=str(error))
            return
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the study's door: the other runs are still to be made
            trace = "".join(traceback.format_exception(error))
            yield _Failure(error=f"{type(error).__name__}: {error}", trace=trace)
            return
        if what is None:
            return
        yield what
