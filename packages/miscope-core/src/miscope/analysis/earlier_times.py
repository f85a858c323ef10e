"""How long an analysis will take, by what its instruments took before: the ledger has the time of each result."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from miscope.analysis.outstanding import Outstanding
    from miscope.workspace import Workspace

__all__ = ["seconds_each", "seconds_left"]

_RUNS, _LINES = 6, 3000
"""Runs of the ledger that are read, the latest, and lines of each: to say about how long is worth no more."""

_AT_ONCE = 0.05
"""Seconds between two lines that are written one after the other: jobs have at least that between them, or their
times do not matter."""


def seconds_each(workspace: Workspace, family: str, names: Collection[str]) -> Mapping[str, float]:
    """Seconds that a job of each analyzer took, in the median of the last analyses of the family's variants.

    What nobody timed is left out.
    """
    quoted = family.replace("'", "''")
    asked = f"SELECT run FROM runs WHERE kind = 'analyze' AND starts_with(variant, '{quoted}/') AND started IS NOT NULL"
    rows = workspace.index.ask(f"{asked} ORDER BY started DESC LIMIT {_RUNS}").to_pylist()
    taken: dict[str, list[float]] = {}
    for row in rows:
        for name, seconds in _taken(islice(workspace.ledger.lines(row["run"]), _LINES)):
            taken.setdefault(name, []).append(seconds)
    return {name: median(taken[name]) for name in names if name in taken}


def seconds_left(workspace: Workspace, work: Outstanding) -> float | None:
    """About how long the jobs take, one after the other; None where one of their analyzers was never timed."""
    jobs = [(one, job) for one in work.by_variant for wave in one.waves for job in wave.jobs]
    names = [name for _, job in jobs for name in job.analyzers]
    names += [name for job in work.together for name in job.analyzers]
    if not names:
        return 0.0
    each = seconds_each(workspace, work.by_variant[0].analysis.variant.family, set(names))
    return sum(each[name] for name in names) if each.keys() >= set(names) else None


def _taken(lines: Iterable[Mapping[str, object]]) -> Iterator[tuple[str, float]]:
    """By analyzer what each of its results took. What one job leaves is written at once, when it has ended."""
    before: datetime | None = None
    for together in _written_at_once(lines):
        event, after = together[0].get("event"), _time(together[-1])
        if event == "artifact" and before is not None and after is not None:
            seconds = (after - before).total_seconds() / len(together)
            yield from ((str(line.get("analyzer")), seconds) for line in together)
        before = after


def _written_at_once(lines: Iterable[Mapping[str, object]]) -> Iterator[list[Mapping[str, object]]]:
    together: list[Mapping[str, object]] = []
    for line in lines:
        if together and not _follows_at_once(together[-1], line):
            yield together
            together = []
        together.append(line)
    if together:
        yield together


def _follows_at_once(line: Mapping[str, object], following: Mapping[str, object]) -> bool:
    """Whether both are of one job: those that span training are all of the same step, which is none."""
    if any(line.get(name) != following.get(name) for name in ("event", "step")):
        return False
    before, after = _time(line), _time(following)
    return before is None or after is None or (after - before).total_seconds() <= _AT_ONCE


def _time(line: Mapping[str, object]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(line.get("time")))
    except ValueError:
        return None
