"""How long a training had been at work at each step, as the ledger tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["seconds_at", "wall_seconds"]

_RUNS = "SELECT run FROM runs WHERE variant = '{name}' AND kind = 'train' ORDER BY run"


def wall_seconds(workspace: Workspace, variant: Variant, steps: np.ndarray) -> np.ndarray:
    """(n,) seconds of all runs together up to these steps (n,); NaN where the ledger does not tell."""
    runs = workspace.ask(_RUNS.format(name=variant.name))["run"].to_pylist()
    return seconds_at((list(workspace.ledger.lines(run)) for run in runs), steps)


def seconds_at(runs: Iterable[Iterable[Mapping[str, object]]], steps: np.ndarray) -> np.ndarray:
    """The same of the ledger's lines of each run, the oldest first.

    Known at each checkpoint, and in proportion between two. A run that goes on adds its own time to what it took to
    come to the step where it begins; what was trained again, or thrown away after the last checkpoint, does not count.
    """
    marks: list[tuple[int, float]] = []
    for lines in runs:
        marks = list(_further(marks, lines))
    if not marks:
        return np.full(len(steps), np.nan)
    at, seconds = np.array(marks, dtype=np.float64).T
    return np.interp(steps, at, seconds, left=np.nan, right=np.nan)


def _further(marks: list[tuple[int, float]], lines: Iterable[Mapping[str, object]]) -> Iterator[tuple[int, float]]:
    """What one more run makes of the seconds known so far, by step."""
    began, before = None, 0.0
    for line in lines:
        if line.get("event") == "started":
            start = int(str(line.get("start", 0)))
            kept = [mark for mark in marks if mark[0] <= start] if start else []
            yield from kept
            began, before = _time(line), kept[-1][1] if kept else 0.0
            if kept and kept[-1][0] < start:
                yield start, before
        elif line.get("event") == "checkpoint" and began is not None:
            yield int(str(line["step"])), before + (_time(line) - began).total_seconds()


def _time(line: Mapping[str, object]) -> datetime:
    return datetime.fromisoformat(str(line["time"]))
