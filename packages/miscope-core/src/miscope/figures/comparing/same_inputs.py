"""Whether what a view shows of several variants was computed on the same inputs, by the same instruments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from miscope.analysis.another_version import outdated
from miscope.analysis.planning import depends_on_probe, resolve
from miscope.analysis.resolved_analysis import resolve_analysis
from miscope.analyzer import Grain
from miscope.figures.differences import labels
from miscope.lazily import torch
from miscope.variant import Variant
from miscope.view import View

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["SameInputs", "same_inputs"]


@final
@dataclass(frozen=True, kw_only=True)
class SameInputs:
    """What is known of the inputs."""

    same: bool
    """Whether they are; also where the view looks at none."""
    words: str = ""
    """'49 inputs', or which variant was shown which probe; "" where it looks at none."""
    versions: tuple[str, ...] = ()
    """'neurons.frequencies v2': of the analyzers whose artifacts it shows, the same for all."""
    outdated: tuple[str, ...] = ()
    """'seed=1, neurons.frequencies: it was computed by version 1; installed is 2.': what is left out for that."""


def same_inputs(workspace: Workspace, view: View, variants: Sequence[Variant]) -> SameInputs:
    """Compares what the probes hold. Artifacts of another version are never read, so versions are the same."""
    read = [name for name in dict.fromkeys(view.needs.artifacts) if name in workspace.plugins.analyzers]
    return replace(_same(workspace, view, variants, read), outdated=tuple(_outdated(workspace, variants, read)))


def _outdated(workspace: Workspace, variants: Sequence[Variant], read: Sequence[str]) -> Iterator[str]:
    of_one = [name for name in read if workspace.plugins.analyzers[name].grain is not Grain.COHORT]
    for label, variant in zip(labels(variants), variants, strict=True):
        analysis = resolve_analysis(workspace, variant, of_one, steps=workspace.store.finite_steps(variant.name))
        for name in of_one:
            if words := outdated(workspace.store, analysis, name):
                yield f"{label}, {name}: {words[0].lower()}{words[1:]}"


def _same(workspace: Workspace, view: View, variants: Sequence[Variant], read: Sequence[str]) -> SameInputs:
    table = workspace.plugins.analyzers
    analyzers = resolve(table, read)
    versions = tuple(f"{name} v{table[name].version}" for name in read)
    if not (view.needs.probed or any(depends_on_probe(analyzers, name) for name in read)):
        return SameInputs(same=True, versions=versions)
    probes = [workspace.context(variant).probe() for variant in variants]
    if all(torch.equal(probes[0].inputs, probe.inputs) for probe in probes):
        alike = len({probe.digest for probe in probes}) == 1
        split = "" if alike else ", each with its own training set"
        return SameInputs(same=True, words=f"{len(probes[0].inputs):,} inputs{split}", versions=versions)
    told = [
        f"{label} on {len(probe.inputs):,} inputs ({probe.digest[:8]})"
        for label, probe in zip(labels(variants), probes, strict=True)
    ]
    return SameInputs(same=False, words="computed on different probes: " + "; ".join(told), versions=versions)
