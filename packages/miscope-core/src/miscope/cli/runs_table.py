"""Runs as rows of a table."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from miscope.errors import UnknownName
from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import ACTIVE, RunState

__all__ = ["HEADER", "chosen_states", "detail", "duration", "progress", "table_row"]

HEADER = ("run", "state", "kind", "progress", "left", "what", "remark")


def table_row(run: QueuedRun, states: Mapping[int, RunState]) -> tuple[object, ...]:
    """The run under HEADER; states: of all runs, for what it waits for."""
    left = "" if run.eta is None else duration(run.eta)
    return run.id, run.state.value, run.kind, progress(run), left, run.what, remark(run, states)


def progress(run: QueuedRun) -> str:
    """'step 1,200 of 5,000 (24 %)'."""
    if run.reached.total is None:
        return ""
    share = "" if run.percent is None else f" ({run.percent} %)"
    return f"{run.unit} {run.reached.done:,} of {run.reached.total:,}{share}"


def remark(run: QueuedRun, states: Mapping[int, RunState]) -> str:
    """What is worth a word: its name and tags, what it waits for, that it was asked to stop, why it ended."""
    name, tags = run.labels.name, ", ".join(run.labels.tags)
    named = " ".join(filter(None, (name and f"'{name}'", tags and f"[{tags}]")))
    if run.state is RunState.PENDING:
        waits = [
            f"{needed} ({states.get(needed, 'deleted')})"
            for needed in run.place.needs
            if states.get(needed) is not RunState.COMPLETED
        ]
        return "; ".join(filter(None, (named, f"waits for {', '.join(waits)}" if waits else "")))
    if run.state is RunState.STOPPING:
        known = "knows that it is to stop" if run.acknowledged else "does not know yet"
        return "; ".join(filter(None, (named, f"{known}{_elsewhere(run)}")))
    retried = f"repeats run {run.place.retry_of}" if run.place.retry_of else ""
    said = run.error.partition("\n")[0] or _elsewhere(run).removeprefix(", ")
    return "; ".join(filter(None, (named, retried, said)))


def _elsewhere(run: QueuedRun) -> str:
    """Where a run is worked on that is not worked on here."""
    return f", on {run.host}" if run.state in ACTIVE and not run.here else ""


def detail(run: QueuedRun, states: Mapping[int, RunState]) -> list[tuple[str, str]]:
    """Everything but its error, as names and values."""
    reached = run.reached
    return [
        ("run", str(run.id)),
        ("what", f"{run.kind} {run.what}"),
        ("name", run.labels.name),
        ("notes", run.labels.notes),
        ("tags", ", ".join(run.labels.tags)),
        ("state", run.state.value),
        ("remark", remark(run, states) if run.state in (RunState.PENDING, RunState.STOPPING) else ""),
        ("progress", progress(run)),
        ("rate", f"{reached.rate:.3g} {run.unit}s a second" if reached.rate else ""),
        ("left", "" if run.eta is None else duration(run.eta)),
        ("worked", duration(reached.seconds) if reached.seconds else ""),
        ("metrics", ", ".join(f"{name} {value:.4g}" for name, value in reached.metrics.items())),
        ("checkpoint", "" if reached.checkpoint is None else f"step {reached.checkpoint:,}"),
        ("asked", _when(run.created)),
        ("began", _when(run.started)),
        ("ended", _when(run.ended)),
        ("process", f"{run.pid} on {run.host}" if run.pid else ""),
        ("ledger", reached.ledger),
        ("retry of", str(run.place.retry_of or "")),
        ("said", reached.message),
        ("request", run.request.model_dump_json(exclude_defaults=True)),
    ]


def duration(seconds: float) -> str:
    """'3 h 05 min', '4 min 10 s', '12 s'."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {whole % 60:02d} s" if minutes else f"{whole} s"


def _when(moment: float | None) -> str:
    """In UTC, with how long ago that is."""
    if moment is None:
        return ""
    ago = max(time.time() - moment, 0.0)
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC, {duration(ago)} ago"


def chosen_states(words: list[str] | None) -> list[RunState] | None:
    """The states of these names; UnknownName for any other."""
    if words is None:
        return None
    known = [state.value for state in RunState]
    for word in words:
        if word not in known:
            raise UnknownName("state", word, known, listing=f"The states are: {', '.join(known)}.")
    return [RunState(word) for word in words]
