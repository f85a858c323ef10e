"""What has still to be computed, in what order, and under which digests. Pure: looks at records, touches no file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from miscope.analyzer import Analyzer, Grain
from miscope.errors import BadValue, UnknownName
from miscope.recipe import recipe

__all__ = ["PlannedJob", "Wave", "complete", "depends_on_probe", "plan", "recipes", "resolve"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedJob:
    """Analyzers that share one forward pass: at one checkpoint, or over the whole of training."""

    step: int | None
    """None: the whole of training."""
    analyzers: tuple[str, ...]
    """What is read comes before what reads it."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Jobs that need nothing of each other, only what earlier waves left; they may run side by side."""

    grain: Grain
    jobs: tuple[PlannedJob, ...]


def resolve(table: Mapping[str, Analyzer], names: Iterable[str]) -> dict[str, Analyzer]:
    """The named analyzers and everything they read, what is read before what reads it.

    Raises UnknownName for a name that is not in the table, BadValue for analyzers that read each other in a circle
    or that read one of cohort grain.
    """
    resolved: dict[str, Analyzer] = {}
    for name in names:
        _visit(table, name, (), resolved)
    return resolved


def complete(table: Mapping[str, Analyzer]) -> dict[str, Analyzer]:
    """Those of which all that they read is in the table too, by themselves and through what they read."""
    lacking = {name for name, each in table.items() if not set(each.needs.reads) <= table.keys()}
    while further := {n for n, each in table.items() if n not in lacking and lacking & set(each.needs.reads)}:
        lacking |= further
    return {name: each for name, each in table.items() if name not in lacking}


def _visit(table: Mapping[str, Analyzer], name: str, path: tuple[str, ...], resolved: dict[str, Analyzer]) -> None:
    if name in resolved:
        return
    if name in path:
        circle = " -> ".join((*path[path.index(name) :], name))
        raise BadValue(
            "These analyzers read each other in a circle, so none of them can be first:",
            f"{circle}.",
            "Take one of the names out of its `reads`.",
        )
    if name not in table:
        raise UnknownName("analyzer", name, table)
    analyzer = table[name]
    for upstream in analyzer.needs.reads:
        _visit(table, upstream, (*path, name), resolved)
        if resolved[upstream].grain is Grain.COHORT:
            raise BadValue(
                f"{name!r} reads {upstream!r}, which spans several variants.",
                "Its numbers depend on which variants were analyzed together, so nothing may build on them.",
                f"Read what {upstream!r} reads instead.",
            )
    resolved[name] = analyzer


def depends_on_probe(analyzers: Mapping[str, Analyzer], name: str) -> bool:
    """Whether an analyzer's numbers depend on the probe, by itself or through what it reads."""
    return analyzers[name].needs.probed or any(
        depends_on_probe(analyzers, upstream) for upstream in analyzers[name].needs.reads
    )


def recipes(
    analyzers: Mapping[str, Analyzer],
    *,
    variant: str,
    probe: str | None,
    steps: Sequence[int],
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, str]:
    """The recipe digest of each resolved analyzer, by name.

    variant, probe: digests. steps: the checkpoints that trajectory and cohort grain span. options: values that differ
    from an analyzer's defaults, by analyzer name; a default that is spelt out gives the same digest as one that is not.
    """
    digests: dict[str, str] = {}
    for name, analyzer in analyzers.items():
        chosen = analyzer.options.model_validate(dict((options or {}).get(name, {})))
        digests[name] = recipe(
            {"name": name, "version": analyzer.version, "options": chosen.model_dump(mode="json")},
            variant=variant,
            probe=probe if depends_on_probe(analyzers, name) else None,
            upstream={upstream: digests[upstream] for upstream in analyzer.needs.reads},
            steps=None if analyzer.grain is Grain.CHECKPOINT else steps,
        )
    return digests


def plan(
    analyzers: Mapping[str, Analyzer],
    *,
    steps: Sequence[int],
    wanted: Collection[str] | None = None,
    present: Mapping[str, Collection[int | None]] | None = None,
) -> list[Wave]:
    """The jobs still to be done, in waves.

    analyzers: resolved, in reading order. wanted: those asked for (None: all); what they read is computed as far as it
    is missing. present: the steps at which each one's artifact exists already; None stands for 'the whole of training'.
    Analyzers of checkpoint grain that need a step together share one job, so that one forward pass serves them all.
    """
    todo = _missing(analyzers, steps, analyzers if wanted is None else wanted, present or {})
    waves: list[Wave] = []
    for names in _by_depth(analyzers):
        by_checkpoint = [name for name in names if analyzers[name].grain is Grain.CHECKPOINT]
        spanning = [name for name in names if analyzers[name].grain is not Grain.CHECKPOINT and todo[name]]
        together = ((step, tuple(name for name in by_checkpoint if step in todo[name])) for step in steps)
        jobs = [PlannedJob(step=step, analyzers=group) for step, group in together if group]
        if jobs:
            waves.append(Wave(grain=Grain.CHECKPOINT, jobs=tuple(jobs)))
        for grain in (Grain.TRAJECTORY, Grain.COHORT):
            jobs = [PlannedJob(step=None, analyzers=(name,)) for name in spanning if analyzers[name].grain is grain]
            if jobs:
                waves.append(Wave(grain=grain, jobs=tuple(jobs)))
    return sorted(waves, key=lambda wave: wave.grain is Grain.COHORT)


def _missing(
    analyzers: Mapping[str, Analyzer],
    steps: Sequence[int],
    wanted: Collection[str],
    present: Mapping[str, Collection[int | None]],
) -> dict[str, set[int | None]]:
    """Where each analyzer has still to be computed, because it was asked for or because something computed reads it."""
    spans = {name: _span(analyzer, steps) for name, analyzer in analyzers.items()}
    todo = {name: spans[name] - set(present.get(name, ())) if name in wanted else set() for name in analyzers}
    for name in reversed(tuple(analyzers)):
        for upstream in analyzers[name].needs.reads:
            same_job = analyzers[name].grain is analyzers[upstream].grain is Grain.CHECKPOINT
            needed = todo[name] if same_job else (spans[upstream] if todo[name] else set())
            todo[upstream] |= needed - set(present.get(upstream, ()))
    return todo


def _span(analyzer: Analyzer, steps: Sequence[int]) -> set[int | None]:
    return set(steps) if analyzer.grain is Grain.CHECKPOINT else {None}


def _by_depth(analyzers: Mapping[str, Analyzer]) -> Iterator[list[str]]:
    """Names by the number of waves that must come before."""
    depth: dict[str, int] = {}
    for name, analyzer in analyzers.items():
        depth[name] = max((depth[u] + _waits(analyzer, analyzers[u]) for u in analyzer.needs.reads), default=0)
    for level in range(max(depth.values(), default=-1) + 1):
        yield [name for name in analyzers if depth[name] == level]


def _waits(reader: Analyzer, upstream: Analyzer) -> bool:
    return not (reader.grain is upstream.grain is Grain.CHECKPOINT)
