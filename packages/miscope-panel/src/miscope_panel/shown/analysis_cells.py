"""What there is of each analyzer for one variant: a row of the matrix of analyses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from miscope.analysis.outstanding import Outstanding, ResolvedRequest, outstanding
from miscope.analyze_request import AnalyzeRequest
from miscope.analyzer import Grain
from miscope.errors import MiscopeError
from miscope.runs.run_state import ACTIVE

if TYPE_CHECKING:
    from miscope.analysis.resolved_analysis import ResolvedAnalysis
    from miscope.runs.queued_run import QueuedRun
    from miscope.workspace import Workspace

__all__ = ["AnalysisCell", "AnalysisRow", "CellState", "analysis_row", "analyzer_names"]

CellState = Literal["fresh", "stale", "missing", "failed", "running", "queued", "inapplicable"]

_LOOKED_AT = 12
"""Runs of the ledger among which a failure is looked for, the latest of the variant."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisCell:
    """One analyzer of one variant."""

    state: CellState
    note: str = ""
    """What more is to be said: how much is missing, why it failed or does not apply."""
    tried: bool = False
    """Whether only trying it told that it does not apply."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisRow:
    """One variant. cells: by analyzer; none where `problem` says why it cannot be told."""

    variant: str
    cells: Mapping[str, AnalysisCell]
    problem: str = ""


def analyzer_names(workspace: Workspace) -> tuple[str, ...]:
    """Those that look at one variant, at a checkpoint or over its training; sorted."""
    table = workspace.plugins.analyzers
    return tuple(sorted(name for name, analyzer in table.items() if analyzer.grain is not Grain.COHORT))


def analysis_row(workspace: Workspace, name: str, runs: Sequence[QueuedRun]) -> AnalysisRow:
    """What there is of the variant by now, with every analyzer's default options.

    runs: of the queue; those that compute something are told. Files are read, and the variant's model is made.
    """
    names = analyzer_names(workspace)
    try:
        variant = workspace.find(name)
        asked = ResolvedRequest(names=names, steps=None, force=False, options={})
        work = outstanding(workspace, [variant], asked)
    except MiscopeError as error:
        return AnalysisRow(variant=name, cells={}, problem=str(error).partition("\n")[0])
    failures = _failures(workspace, name)
    under_way = sorted((run for run in runs if _is_of(run, name)), key=lambda run: run.state not in ACTIVE)
    cells = {}
    for analyzer in names:
        cell = _stored(workspace, work, name, analyzer)
        if cell.state in ("missing", "stale"):
            cell = _expected(under_way, analyzer) or _failed(failures, analyzer) or cell
        cells[analyzer] = cell
    return AnalysisRow(variant=name, cells=cells)


def _stored(workspace: Workspace, work: Outstanding, variant: str, name: str) -> AnalysisCell:
    (of_variant,) = work.by_variant
    if name in of_variant.skipped:
        return AnalysisCell(state="inapplicable", note=of_variant.skipped[name])
    if name in of_variant.whole:
        return _settled(workspace, of_variant.analysis, name)
    if not of_variant.analysis.steps and name not in {n for w in of_variant.waves for j in w.jobs for n in j.analyzers}:
        return AnalysisCell(state="inapplicable", note="there is no checkpoint to look at")
    lacking = sum(name in job.analyzers for wave in of_variant.waves for job in wave.jobs)
    steps = len(of_variant.analysis.steps)
    at_steps = workspace.plugins.analyzers[name].grain is Grain.CHECKPOINT
    if at_steps and lacking < steps:
        return AnalysisCell(state="stale", note=f"{lacking:,} of {steps:,} checkpoints are missing")
    if _computed_otherwise(workspace, variant, name):
        return AnalysisCell(state="stale", note="computed before the analyzer, or what it reads, was as it is now")
    takes_long = workspace.plugins.analyzers[name].opt_in
    return AnalysisCell(state="missing", note="takes long" if takes_long else "")


def _settled(workspace: Workspace, analysis: ResolvedAnalysis, name: str) -> AnalysisCell:
    """Of one of which nothing is left to try: it was computed, or said that it does not apply."""
    store, key = workspace.store, analysis.key(name)
    if workspace.plugins.analyzers[name].grain is not Grain.CHECKPOINT:
        why = store.not_applicable(key)
        return AnalysisCell(state="fresh") if why is None else AnalysisCell(state="inapplicable", note=why, tried=True)
    steps = {*analysis.steps}
    apart = steps & {*store.not_applicable_steps(key.variant, name, key.recipe)}
    if not apart:
        return AnalysisCell(state="fresh")
    why = store.not_applicable(analysis.key(name, min(apart))) or ""
    if apart == steps:
        return AnalysisCell(state="inapplicable", note=why, tried=True)
    return AnalysisCell(state="fresh", note=f"does not apply at {len(apart):,} of {len(steps):,} checkpoints: {why}")


def _computed_otherwise(workspace: Workspace, variant: str, name: str) -> bool:
    """Whether there is something of it under another recipe."""
    folder = workspace.store.layout.recipes(variant, name)
    try:
        return any(next(each.glob("*.npz"), None) is not None for each in folder.iterdir())
    except OSError:
        return False


def _is_of(run: QueuedRun, variant: str) -> bool:
    return isinstance(run.request, AnalyzeRequest) and variant in run.request.variants


def _expected(under_way: Sequence[QueuedRun], name: str) -> AnalysisCell | None:
    """What computes it, or will; the runs that began come first."""
    for run in under_way:
        asked = run.request.analyzers if isinstance(run.request, AnalyzeRequest) else ()
        if asked is not None and name not in asked:
            continue
        if run.state not in ACTIVE:
            return AnalysisCell(state="queued", note=f"run {run.id}")
        far = "" if run.percent is None else f", {run.percent} % done"
        return AnalysisCell(state="running", note=f"run {run.id}{far}")
    return None


def _failures(workspace: Workspace, variant: str) -> Mapping[str, str]:
    """By analyzer why it failed last, where it failed at something that was not computed since."""
    quoted = variant.replace("'", "''")
    latest = f"SELECT run FROM runs WHERE kind = 'analyze' AND variant = '{quoted}' AND started IS NOT NULL"
    rows = workspace.index.ask(f"{latest} ORDER BY started DESC LIMIT {_LOOKED_AT}").to_pylist()
    failures: dict[tuple[str, object], str] = {}
    for row in reversed(rows):
        for line in workspace.ledger.lines(row["run"]):
            names, step = line.get("analyzers"), line.get("step")
            if line.get("event") == "failure" and isinstance(names, list):
                why = str(line.get("error", "")).partition("\n")[0]
                failures |= {(str(name), step): why for name in names}
            elif line.get("event") == "artifact":
                failures.pop((str(line.get("analyzer")), step), None)
    return {name: why for (name, _), why in failures.items()}


def _failed(failures: Mapping[str, str], name: str) -> AnalysisCell | None:
    return AnalysisCell(state="failed", note=failures[name]) if name in failures else None
