"""What an analysis has still to do: the jobs that variants lack, those across them, and what is left out and why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, final

from miscope.analysis.analyzer_options import Options
from miscope.analysis.applicability import chain_applies
from miscope.analysis.chosen_steps import steps_to_analyze
from miscope.analysis.job import Job
from miscope.analysis.not_applicable import beside, incomparable, not_applicable_errors
from miscope.analysis.planning import Wave, plan, resolve
from miscope.analysis.resolved_analysis import ResolvedAnalysis, cohort_key, in_order, resolve_analysis
from miscope.analyzer import Analyzer, Grain
from miscope.commands import in_workspace
from miscope.errors import DoesNotApply, UnknownName
from miscope.store.standing import lacks_optimizer, lacks_weights
from miscope.variant import Variant

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["Outstanding", "ResolvedRequest", "outstanding"]

Steps = Sequence[int]


@final
@dataclass(frozen=True, kw_only=True)
class ResolvedRequest:
    """What is asked of every variant, with the steps that a schedule stands for."""

    names: Sequence[str] | None
    steps: Steps | None
    force: bool
    options: Options


@final
@dataclass(frozen=True, kw_only=True)
class _VariantWork:
    """What one variant has, lacks and can do without."""

    analysis: ResolvedAnalysis
    waves: Sequence[Wave]
    whole: tuple[str, ...]
    """Wanted analyzers whose artifacts are all there."""
    wanted: Sequence[str]
    """Those to compute, of cohort grain too, without what they read."""
    unfinite: Sequence[int]
    """Steps asked for that no instrument looks at, since weights there are no numbers."""
    skipped: Mapping[str, str]
    """Analyzers that do not apply or take too long to be computed unasked, with the reason."""
    not_applicable: Sequence[DoesNotApply]
    """Of those asked for by name, the ones that do not apply."""

    @property
    def name(self) -> str:
        return self.analysis.variant.name

    def jobs(self, wave: Wave) -> Iterator[Job]:
        for job in wave.jobs:
            yield Job(
                variant=self.name,
                step=job.step,
                analyzers=job.analyzers,
                steps=self.analysis.steps,
                options=self.analysis.options,
            )


@final
@dataclass(frozen=True, kw_only=True)
class Outstanding:
    """All there is to do, and what cannot be done across the variants."""

    by_variant: Sequence[_VariantWork]
    together: Sequence[Job]
    """Across the variants; they need nothing of each other."""
    apart: Sequence[DoesNotApply]
    """Of what was asked for by name, what cannot compare these variants."""

    @property
    def total(self) -> int:
        """How many jobs."""
        return sum(len(wave.jobs) for one in self.by_variant for wave in one.waves) + len(self.together)

    @property
    def checkpoints(self) -> int:
        """How many of the jobs are at one checkpoint each."""
        return sum(job.step is not None for one in self.by_variant for wave in one.waves for job in wave.jobs)

    @property
    def busy(self) -> list[str]:
        """Names of what has something to do: the variants, and all of them together."""
        return [c.name for c in self.by_variant if c.waves] + [job.variant for job in self.together[:1]]

    def rounds(self) -> Iterator[Iterator[Job]]:
        """Jobs that need nothing of each other, only what those of earlier rounds left."""
        for waves in zip_longest(*(one.waves for one in self.by_variant)):
            yield chain.from_iterable(c.jobs(w) for c, w in zip(self.by_variant, waves, strict=True) if w)
        if self.together:
            yield iter(self.together)


def outstanding(workspace: Workspace, variants: Sequence[Variant], asked: ResolvedRequest) -> Outstanding:
    """What has to be done for these variants; DoesNotApply where nothing of what was asked for by name applies."""
    by_variant = [_work_of(workspace, variant, asked) for variant in variants]
    together, apart = _across(workspace, by_variant, asked)
    not_applicable = [error for one in by_variant for error in one.not_applicable] + apart
    if not_applicable and not {name for c in by_variant for name in c.wanted} - {error.name for error in apart}:
        raise not_applicable[0]
    return Outstanding(by_variant=by_variant, together=together, apart=apart)


def _work_of(workspace: Workspace, variant: Variant, asked: ResolvedRequest) -> _VariantWork:
    store = workspace.store
    store.refuse_another(variant)
    have = store.steps(variant.name)
    curves_only = not have and asked.steps is None and bool(store.metrics(variant.name))
    steps = () if curves_only else steps_to_analyze(store, variant.name, asked.steps)
    finite = set(store.finite_steps(variant.name))
    chosen = tuple(step for step in steps if step in finite)
    wanted, skipped = _wanted(workspace, variant, asked.names)
    errors = not_applicable_errors(asked.names or (), skipped, workspace.context(variant))
    skipped = {**skipped, **{error.name: f"does not apply: {error.reason}" for error in errors}}
    analysis = resolve_analysis(workspace, variant, wanted, steps=chosen, options=asked.options)
    mine = {name: a for name, a in analysis.analyzers.items() if a.grain is not Grain.COHORT}
    present = {name: _present(workspace, analysis, name) for name in mine}
    whole = tuple(name for name in mine if name in wanted and len(present[name]) == _span(mine[name], chosen))
    if asked.force:
        present = {name: () if name in wanted else steps for name, steps in present.items()}
    # What a cohort analyzer reads is wanted of every member.
    read = {upstream for name in set(wanted) - set(mine) for upstream in analysis.analyzers[name].needs.reads}
    waves = plan(mine, steps=chosen, wanted={*wanted, *read} & set(mine), present=present)
    return _VariantWork(
        analysis=analysis,
        waves=waves,
        whole=() if asked.force else whole,
        wanted=wanted,
        unfinite=[step for step in steps if step not in finite],
        skipped=skipped,
        not_applicable=errors,
    )


def _wanted(workspace: Workspace, variant: Variant, names: Sequence[str] | None) -> tuple[list[str], dict[str, str]]:
    """The analyzers to compute, and those left out with the reason; of named ones, with the bare clause."""
    table, context = workspace.plugins.analyzers, workspace.context(variant)
    store = workspace.store
    metrics, lacking = store.metrics(variant.name), lacks_weights(store, variant.name)
    stateless = partial(lacks_optimizer, store, variant.name)

    def reason(name: str) -> str | None:
        return chain_applies(resolve(table, [name]), context, metrics, lacking=lacking, stateless=stateless)

    if names is not None:
        reasons = {name: why for name in names if (why := reason(name))}
        return [name for name in dict.fromkeys(names) if name not in reasons], reasons
    skipped = {}
    for name in table:
        try:
            why = reason(name)
            waits = any(analyzer.opt_in for analyzer in resolve(table, [name]).values())
        except UnknownName as error:
            why, waits = f"it reads {error.name!r}, which is not installed", False
        if why or waits:
            skipped[name] = f"does not apply: {why}" if why else "takes long, and is computed when asked for by name"
    return [name for name in table if name not in skipped], skipped


def _present(workspace: Workspace, analysis: ResolvedAnalysis, name: str) -> Collection[int | None]:
    key = analysis.key(name)
    if analysis.analyzers[name].grain is Grain.CHECKPOINT:
        there = workspace.store.artifact_steps(key.variant, name, key.recipe)
        not_applicable = workspace.store.not_applicable_steps(key.variant, name, key.recipe)
        return {*there, *not_applicable} & set(analysis.steps)
    return {None} if workspace.store.settled(key) else set()


def _span(analyzer: Analyzer, steps: Steps) -> int:
    return len(steps) if analyzer.grain is Grain.CHECKPOINT else 1


def _across(
    workspace: Workspace, by_variant: Sequence[_VariantWork], asked: ResolvedRequest
) -> tuple[list[Job], list[DoesNotApply]]:
    """The jobs over all variants together: of cohort analyzers that apply to every one and compare what is alike.

    Beside them those asked for by name that cannot compare these variants.
    """
    analyses = in_order([one.analysis for one in by_variant])
    shared = set.intersection(*(set(analysis.analyzers) for analysis in analyses))
    members = tuple((analysis.variant.name, analysis.steps) for analysis in analyses)
    jobs, apart = [], []
    for name, analyzer in analyses[0].analyzers.items():
        if analyzer.grain is not Grain.COHORT or name not in shared:
            continue
        reason = incomparable(analyses, name)
        if reason is not None and name in (asked.names or ()):
            together = ", ".join(analysis.variant.name for analysis in analyses)
            cure = beside(analyses, in_workspace(workspace.root, f"miscope analyze {together} OTHER --only {name}"))
            apart.append(DoesNotApply(reason, name=name, variant=together, cure=cure))
        if reason is not None:
            continue
        key = cohort_key(analyses, name)
        if asked.force or not workspace.store.settled(key):
            jobs.append(
                Job(
                    variant=key.variant,
                    step=None,
                    analyzers=(name,),
                    steps=(),
                    options=asked.options,
                    members=members,
                )
            )
    return jobs, apart
