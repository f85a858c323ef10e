"""Do what a request asks for, say how far it is, and say how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope.outcome import State
from miscope.running import run
from miscope.runs.run_state import RunState

if TYPE_CHECKING:
    from miscope.analyze_request import AnalyzeRequest
    from miscope.runs.reporter import Reporter
    from miscope.train_request import TrainRequest
    from miscope.workspace import Workspace

__all__ = ["analyze", "train"]

Ending = tuple[RunState, str]


def train(workspace: Workspace, request: TrainRequest, reporter: Reporter) -> Ending:
    """Train as far as the request says, or as one lets it."""
    last = None
    for last in run(workspace, request, should_stop=reporter.should_stop, should_save=reporter.should_save):
        reporter.step(last)
    assert last is not None, "a training says at least that there is nothing to do"
    if last.step < last.total:
        return RunState.STOPPED, f"It was stopped at step {last.step:,} of {last.total:,}."
    return RunState.COMPLETED, ""


def analyze(workspace: Workspace, request: AnalyzeRequest, reporter: Reporter) -> Ending:
    """Compute what is missing; failed where an instrument failed, whatever else was saved."""
    failures, first, last = 0, "", None
    for last in run(workspace, request, should_stop=reporter.should_stop):
        reporter.job(last)
        if last.state is State.FAILED:
            failures += len(last.analyzers)
            first = first or f"{', '.join(last.analyzers)} of {last.variant}: {last.error}"
    if last is None and reporter.should_stop():
        return RunState.STOPPED, "It was stopped before its first job."
    if last is not None and last.done < last.total and reporter.should_stop():
        return RunState.STOPPED, f"It was stopped after {last.done} of {last.total} jobs."
    if failures:
        return RunState.FAILED, f"{failures} {'instrument' if failures == 1 else 'results'} failed; the first:\n{first}"
    return RunState.COMPLETED, ""
