"""The artifact of an analyzer as a report reads it: of a variant with default options, or of several together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from miscope.analysis.artifacts import artifact, artifact_across
from miscope.analysis.resolved_analysis import cohort_key, resolve_analysis
from miscope.analyzer import Analyzer, Grain
from miscope.artifact import ArtifactKey
from miscope.errors import NoArtifact
from miscope.observation import ObservedArtifact
from miscope.variant import Variant
from miscope.workspace import Workspace

__all__ = ["FoundArtifact", "artifact_of"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class FoundArtifact:
    """What a function that observes is given, and which artifact that is."""

    key: ArtifactKey
    version: int
    observed: ObservedArtifact

    @property
    def named(self) -> str:
        """'keys.votes version 2, epoch 1,600, probe grid, recipe 0123456789abcdef'."""
        seen, key = self.observed, self.key
        where = "whole training" if seen.step is None else seen.at(seen.step)
        where = "all variants together" if key.variant.startswith("cohort/") else where
        probe = "" if key.probe == "-" else f", probe {key.probe.partition('@')[0]}"
        return f"{key.analyzer} version {self.version}, {where}{probe}, recipe {key.recipe}"


def artifact_of(workspace: Workspace, name: str, variants: Sequence[Variant]) -> FoundArtifact:
    """Of checkpoint grain the last and the first there are. Raises NoArtifact and DoesNotApply, as `artifact` does."""
    analyzer, store = workspace.plugins.analyzer(name), workspace.store
    analyses = [resolve_analysis(workspace, one, [name], steps=store.finite_steps(one.name)) for one in variants]
    label, first = workspace.plugins.family(variants[0].family).step_label, analyses[0]
    options = first.options_of(name)
    if analyzer.grain is Grain.COHORT:
        arrays = artifact_across(store, analyses, name)
        seen = ObservedArtifact(
            arrays=arrays, first=arrays, step=None, first_step=None, step_label=label, options=options
        )
        return FoundArtifact(key=cohort_key(analyses, name), version=analyzer.version, observed=seen)
    ends = _ends(workspace, analyzer, variants[0], first.recipes[name])
    last, earliest = (artifact(store, first, name, step) for step in reversed(ends))
    seen = ObservedArtifact(
        arrays=last, first=earliest, step=ends[1], first_step=ends[0], step_label=label, options=options
    )
    return FoundArtifact(key=first.key(name, ends[1]), version=analyzer.version, observed=seen)


def _ends(workspace: Workspace, analyzer: Analyzer, variant: Variant, recipe: str) -> tuple[int | None, int | None]:
    """First and last checkpoint with an artifact; None of what spans training."""
    if analyzer.grain is not Grain.CHECKPOINT:
        return None, None
    steps = workspace.store.artifact_steps(variant.name, analyzer.name, recipe)
    if steps:
        return steps[0], steps[-1]
    checkpoints = workspace.store.finite_steps(variant.name)
    if not checkpoints:
        raise NoArtifact(analyzer.name, variant.name, None, (), root=workspace.root)
    return checkpoints[-1], checkpoints[-1]
