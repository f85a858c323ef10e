"""The runs of a study, one after the other or side by side: one that fails ends none but itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from miscope.outcome import Outcome
from miscope.progress import Progress
from miscope.studies.attempting import Ending, Perform, RunResult, attempt, run_here
from miscope.studies.planning import PlannedRun, is_left
from miscope.studies.spreading import spread

if TYPE_CHECKING:
    from miscope.executor import Executor
    from miscope.workspace import Workspace

__all__ = ["Begun", "Ended", "Ending", "Seen", "sweep", "sweep_on"]


@final
@dataclass(frozen=True, kw_only=True)
class Begun:
    """A run begins, or is tried again."""

    planned: PlannedRun
    goes_on: bool = False
    """Whether it is trained, and something of its analysis is absent."""
    attempt: int = 1


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
    result: RunResult
    """What became of it."""
    left: float | None
    """Seconds until all are done, at the pace so far; None while nobody knows."""

    @property
    def ending(self) -> Ending:
        return self.result.ending


def sweep(
    workspace: Workspace,
    plan: Sequence[PlannedRun],
    *,
    should_stop: Callable[[], bool] = lambda: False,
    perform: Perform = run_here,
    retries: int = 0,
) -> Iterator[Begun | Seen | Ended]:
    """Do what the plan says, run by run; works only as far as one iterates.

    What fails is an `Ended` that says why, and the next run begins. should_stop: asked before each run, and handed on
    to `perform`; what is under way ends at a step to go on from. retries: how often a run that failed is tried again.
    """
    pace = _Pace(plan)
    for planned in plan:
        if should_stop():
            return
        result, goes_on = RunResult(), planned.train is None and is_left(workspace, planned)
        for number in range(1, retries + 2):
            yield Begun(planned=planned, goes_on=goes_on, attempt=number)
            trying = attempt(workspace, planned.requests, step=planned.step, should_stop=should_stop, perform=perform)
            result = replace((yield from _seen(planned, trying)), attempts=number)
            if result.ending is not Ending.FAILED or should_stop():
                break
        yield pace.ended(planned, result)


def _seen(
    planned: PlannedRun, trying: Generator[Progress | Outcome, None, RunResult]
) -> Generator[Seen, None, RunResult]:
    """How far the run is, each time that says something; what became of it."""
    while True:
        try:
            yield Seen(planned=planned, what=next(trying))
        except StopIteration as end:
            return end.value


def sweep_on(
    executor: Executor,
    workspace: Workspace,
    plan: Sequence[PlannedRun],
    *,
    should_stop: Callable[[], bool] = lambda: False,
    retries: int = 0,
) -> Iterator[Ended]:
    """Do what the plan says where the executor has room, each run as one job; in the order in which they end.

    should_stop: asked several times a second; what is under way, wherever that is, ends at a step to go on from.
    retries: how often runs that failed are tried again, once the others are over.
    """
    pace = _Pace(plan)
    if not any(is_left(workspace, each) for each in plan):  # workers of other machines take a while to start
        for each in plan:
            yield pace.ended(each, RunResult(step=each.step))
        return
    for place, result in spread(executor, workspace, plan, should_stop, retries):
        yield pace.ended(plan[place], result)


_FURTHEST = 50
"""How many times the updates that were made the rest may be, for its time to be reckoned from theirs."""


@final
class _Pace:
    """How many updates are made in which time, all runs together."""

    def __init__(self, plan: Sequence[PlannedRun]) -> None:
        self._began, self._made = time.monotonic(), 0
        self._left = sum(each.left for each in plan)
        """Updates of those that are not over."""

    def ended(self, planned: PlannedRun, result: RunResult) -> Ended:
        self._made += max(0, result.step - planned.step)
        self._left -= planned.left
        taken = time.monotonic() - self._began
        known = self._made and self._made * _FURTHEST >= self._left
        left = taken / self._made * self._left if known else None
        return Ended(planned=planned, result=result, left=left if self._left else 0.0)
