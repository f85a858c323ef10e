"""What would be run: each run with what there is of it, its checkpoints, and the command that asks for the same."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from miscope.commands import in_workspace
from miscope.errors import MiscopeError
from miscope.field_text import shortened
from miscope.runs.run_state import ENDED, RunState
from miscope.schedule import Adaptive, planned_steps
from miscope.studies.planning import PlannedRun, Presence, planned
from miscope.studies.study import Study
from miscope.training.estimate import TAKES_LESS
from miscope.training_command import training_command
from miscope_panel.shown.durations import duration

if TYPE_CHECKING:
    from miscope.analyze_request import AnalyzeRequest
    from miscope.request import Request
    from miscope.runs.run_queue import RunQueue
    from miscope.studies.study_estimate import StudyEstimate
    from miscope.workspace import Workspace

__all__ = [
    "Preview",
    "PreviewRow",
    "command_of",
    "estimate_told",
    "preview",
    "requests_left",
    "summary_of",
    "training_runs",
]

_MOST_ROWS, _MOST_MARKS, _MOST_COMMANDS = 100, 400, 20
_MOST_STEPS = 10**6
"""Of a training whose checkpoints are counted one by one."""


@final
@dataclass(frozen=True, kw_only=True)
class PreviewRow:
    """A run."""

    name: str
    variant: str
    presence: str
    """'new', 'finished', 'shorter', 'failed', 'stopped', 'running'."""
    told: str
    """'new, to step 4000'."""


@final
@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would be run, as far as the workspace says it."""

    plan: tuple[PlannedRun, ...]
    summary: str
    """'2 runs: 1 new, 1 finished'."""
    rows: tuple[PreviewRow, ...]
    """The first of them."""
    marks: tuple[float, ...]
    """Checkpoints of the first run as shares of its steps; of many, some."""
    marked: str
    """'301 checkpoints, from step 0 to 40,000'."""
    command: str
    """What asks for the same on a command line; "" where that takes the study's file."""
    left: tuple[bool, ...] = ()
    """Of each run, whether there is something to do of it."""


def preview(workspace: Workspace, queue: RunQueue, study: Study) -> Preview:
    """What there is of the study's runs, in the workspace and in its queue; nothing is written."""
    plan, queued = planned(workspace, study.runs), training_runs(queue)
    marks, marked = _checkpoints(plan[0])
    return Preview(
        plan=plan,
        summary=summary_of(plan, queued),
        rows=tuple(_row(each, queued.get(each.run.variant.name)) for each in plan[:_MOST_ROWS]),
        marks=marks,
        marked=marked,
        command=command_of(workspace, plan),
        left=tuple(bool(requests_left(each, queued)) for each in plan),
    )


_TOLD = {
    Presence.NEW: "new",
    Presence.FINISHED: "there already",
    Presence.SHORTER: "extended",
    Presence.FAILED: "tried again",
    Presence.STOPPED: "resumed",
    Presence.RUNNING: "being trained now",
}


_QUEUED = "in the queue"


def training_runs(queue: RunQueue) -> dict[str, int]:
    """The variants that a run in the queue trains, or will, and which run that is."""
    return {run.what: run.id for run in queue.runs(frozenset(RunState) - ENDED) if run.kind == "train"}


def requests_left(each: PlannedRun, queued: Mapping[str, int]) -> tuple[Request, ...]:
    """What is left to ask for: nothing that trains what a run in the queue trains."""
    there = each.run.variant.name in queued
    return tuple(request for request in each.requests if not (there and request.kind == "train"))


def summary_of(plan: Sequence[PlannedRun], queued: Mapping[str, int]) -> str:
    """'3 runs: 2 new, 1 there already'."""
    counts = Counter(_QUEUED if each.run.variant.name in queued else _TOLD[each.presence] for each in plan)
    parts = [f"{counts[told]:,} {told}" for told in (*_TOLD.values(), _QUEUED) if counts[told]]
    return f"{len(plan):,} run{'s' * (len(plan) != 1)}: {', '.join(parts)}"


def _row(each: PlannedRun, number: int | None) -> PreviewRow:
    told = str(each) if number is None else f"in the queue as run {number}"
    return PreviewRow(name=each.run.name, variant=each.run.variant.name, presence=each.presence.value, told=told)


def _checkpoints(first: PlannedRun) -> tuple[tuple[float, ...], str]:
    training = first.run.variant.training
    assert training is not None, "a study is of what is trained"
    if training.steps > _MOST_STEPS:
        return (), f"more than {_MOST_STEPS:,} steps: its checkpoints are not counted here"
    steps = sorted(planned_steps(training.checkpoints, training.steps))
    every = -(-len(steps) // _MOST_MARKS)
    marks = tuple(step / max(training.steps, 1) for step in sorted({*steps[::every], steps[-1]}))
    if isinstance(training.checkpoints, Adaptive):
        return marks, f"checkpoints where the test loss moves, from step 0 to {training.steps:,}"
    return marks, f"{len(steps):,} checkpoint{'s' * (len(steps) != 1)}, from step 0 to {training.steps:,}"


def command_of(workspace: Workspace, plan: Sequence[PlannedRun]) -> str:
    """A line for each training; "" for more than one would copy, or what no line says."""
    if len(plan) > _MOST_COMMANDS or not all(_has_line(each.run.analyze) for each in plan):
        return ""
    try:
        return "\n".join(_line(workspace, each) for each in plan)
    except MiscopeError:
        return ""


def _line(workspace: Workspace, each: PlannedRun) -> str:
    words = [training_command(each.run.train), "--queue", *_then(each.run.analyze)]
    return in_workspace(workspace.root, " ".join(words))


def _has_line(analyze: AnalyzeRequest | None) -> bool:
    """Whether `--then` says all of it: it takes names of analyzers alone."""
    if analyze is None:
        return True
    return analyze.steps is None and not analyze.options and analyze.executor == "inline"


def _then(analyze: AnalyzeRequest | None) -> list[str]:
    if analyze is None:
        return []
    return ["--then", shlex.quote("analyze" + (":" + ",".join(analyze.analyzers) if analyze.analyzers else ""))]


def estimate_told(known: StudyEstimate) -> list[str]:
    """What the trainings that are left will take, in sentences."""
    if not known.runs:
        return [*dict.fromkeys(known.problems.values())][:1]
    low, high = known.seconds
    weights = {each.weights for each in known.runs.values()}
    source = (
        f"measured at {known.measured} training{'s' * (known.measured != 1)} here"
        if known.measured
        else "a guess from the model's size"
    )
    told = [
        f"{duration(low)} to {duration(high)} of training, one after the other ({source}).",
        f"{known.checkpoints:,} checkpoints, {_size(known.size)}; "
        f"{shortened([f'{count:,}' for count in sorted(weights)])} weights each.",
    ]
    remarks = dict.fromkeys(_told(remark.message) for each in known.runs.values() for remark in each.remarks)
    return [*told, *remarks, *[*dict.fromkeys(known.problems.values())][:1]]


def _told(remark: str) -> str:
    """As a sentence; of one on the time only what it advises, since the time of all is told before."""
    told = TAKES_LESS if remark.endswith(TAKES_LESS) else remark
    return told[:1].upper() + told[1:]


def _size(count: int) -> str:
    for unit, length in (("GB", 1e9), ("MB", 1e6)):
        if count >= length:
            return f"{count / length:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
