"""Runs in the order in which one looks at them: what works, what waits and when its turn is, what ended and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import RunState

__all__ = ["SECTION", "Section", "in_sections", "queue_order", "without_retry"]

Section = Literal["running", "queued", "failed", "stopped", "done"]

SECTION: Mapping[RunState, Section] = {
    RunState.RUNNING: "running",
    RunState.STOPPING: "running",
    RunState.PENDING: "queued",
    RunState.FAILED: "failed",
    RunState.INTERRUPTED: "failed",
    RunState.STOPPED: "stopped",
    RunState.CANCELLED: "stopped",
    RunState.COMPLETED: "done",
}


def in_sections(runs: Iterable[QueuedRun]) -> dict[Section, list[QueuedRun]]:
    """Every section, an empty one too: running from the longest, queued by turn, the others from the one ended last."""
    found: dict[Section, list[QueuedRun]] = {name: [] for name in get_args(Section)}
    for run in runs:
        found[SECTION[run.state]].append(run)
    found["running"].sort(key=lambda run: (run.started or run.created, run.id))
    found["queued"] = queue_order(found["queued"])
    for name in ("failed", "stopped", "done"):
        found[name].sort(key=lambda run: (run.ended or run.created, run.id), reverse=True)
    return found


def queue_order(waiting: Iterable[QueuedRun]) -> list[QueuedRun]:
    """In the order in which the supervisor takes those that need nothing."""
    return sorted(waiting, key=lambda run: (-run.place.priority, run.id))


def without_retry(runs: Sequence[QueuedRun]) -> list[int]:
    """Numbers of the failed runs that no other run repeats."""
    repeated = {run.place.retry_of for run in runs}
    return [run.id for run in runs if SECTION[run.state] == "failed" and run.id not in repeated]
