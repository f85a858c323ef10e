"""Artifacts as a reader asks for them: at a step or over training, with a sentence that says why there is none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from miscope.analysis.analyzer_options import Options, checked_options
from miscope.analysis.computed import asked_for, what_is_known
from miscope.analyzer import Grain
from miscope.artifact import Arrays
from miscope.commands import in_workspace
from miscope.errors import DoesNotApply, NoArtifact, UnknownName
from miscope.lazily import Lazily
from miscope.variant import Variant

if TYPE_CHECKING:
    from miscope.analysis.resolved_analysis import ResolvedAnalysis
    from miscope.store.store import Store
    from miscope.workspace import Workspace

__all__ = ["arrays", "artifact", "artifact_across", "artifact_if_there"]


def arrays(  # noqa: PLR0913 - the whole of a reader's choice, keyword-only past what is read
    workspace: Workspace,
    variant: Variant,
    analyzer: str,
    *,
    step: int | None = None,
    names: Collection[str] | None = None,
    options: Options | None = None,
) -> Arrays:
    """An analyzer's arrays at a step; without one over all steps, (T, ...) with those steps under 'step'.

    names: only these. options: those it was computed with, by analyzer name, of it and of what it reads. Raises
    UnknownName, NoArtifact where it was not computed, DoesNotApply where it cannot be, BadValue for the options.
    """
    from miscope.analysis.resolved_analysis import resolve_analysis

    table = workspace.plugins.analyzers
    workspace.plugins.analyzer(analyzer)
    workspace.store.refuse_another(variant)
    chosen = checked_options(table, options or {})
    analysis = resolve_analysis(
        workspace, variant, [analyzer], steps=workspace.store.finite_steps(variant.name), options=chosen
    )
    stored = artifact(workspace.store, analysis, analyzer, step)
    wanted = stored if names is None else (names,) if isinstance(names, str) else names
    for name in wanted:
        if name not in stored:
            raise UnknownName("array", name, stored, listing=f"{analyzer!r} keeps: {', '.join(stored)}.")
    return {name: stored[name] for name in wanted}


def artifact(store: Store, analysis: ResolvedAnalysis, name: str, step: int | None) -> Arrays:
    """The artifact at the step, or, of checkpoint grain without a step, stacked over training.

    Raises NoArtifact with the command that computes it, or DoesNotApply with the reason.
    """
    from miscope.analysis.not_applicable import cure_of, reason

    stored = artifact_if_there(store, analysis, name, step)
    if stored is not None:
        return stored
    variant = analysis.variant.name
    why = reason(store, analysis, name, step)
    if why is not None:
        raise DoesNotApply(why, name=name, variant=variant, cure=cure_of(analysis.context, why))
    at = step if analysis.analyzers[name].grain is Grain.CHECKPOINT else None
    have = store.artifact_steps(variant, name, analysis.recipes[name])
    known, asked = what_is_known(store, [analysis], name, step), asked_for(analysis, name)
    raise NoArtifact(name, variant, at, have, known=known, options=asked, root=store.root)


def artifact_across(store: Store, analyses: Sequence[ResolvedAnalysis], name: str) -> Arrays:
    """The artifact of an analyzer that spans variants, of these together.

    Raises DoesNotApply where they cannot be compared, NoArtifact with the command that computes it.
    """
    from miscope.analysis.not_applicable import beside, incomparable, reason
    from miscope.analysis.resolved_analysis import cohort_key

    names = [analysis.variant.name for analysis in analyses]
    key, why = cohort_key(analyses, name), incomparable(analyses, name)
    if why is None and store.has(key):
        return store.load_arrays(key)
    reasons = (reason(store, analysis, name, None) for analysis in analyses)
    why = why or store.not_applicable(key) or next(filter(None, reasons), None)
    if why is not None:
        cure = beside(analyses, in_workspace(store.root, f"miscope analyze {', '.join(names)} OTHER --only {name}"))
        raise DoesNotApply(why, name=name, variant=", ".join(names), cure=cure)
    known = what_is_known(store, analyses, name, None)
    asked = asked_for(analyses[0], name)
    raise NoArtifact(name, " ".join(names), None, (), known=known, options=asked, root=store.root)


def artifact_if_there(store: Store, analysis: ResolvedAnalysis, name: str, step: int | None) -> Arrays | None:
    """As `artifact`; None where there is none, or where the analyzer is not part of the analysis."""
    if name not in analysis.analyzers:
        return None
    key = analysis.key(name, step)
    if analysis.analyzers[name].grain is not Grain.CHECKPOINT or step is not None:
        return store.load_arrays(key) if store.has(key) else None
    steps = store.artifact_steps(key.variant, name, key.recipe)
    if not steps:
        return None
    one = store.load_arrays(analysis.key(name, steps[-1]))
    return Lazily(("step", *one), lambda array: store.stacked(key.variant, name, key.recipe, [array])[array])
