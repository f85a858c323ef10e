"""What instruments say of variants: every sentence with the artifact it is drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from miscope.analyzer import Analyzer, Grain
from miscope.errors import BadValue
from miscope.observation import Observation
from miscope.reporting.content import Finding, Findings, Missing
from miscope.reporting.contributed import attempted
from miscope.reporting.found_artifacts import artifact_of
from miscope.variant import Variant
from miscope.workspace import Workspace

__all__ = ["TOGETHER", "findings"]

TOGETHER = "All together"


def findings(
    workspace: Workspace, variants: Sequence[Variant], labels: Sequence[str]
) -> tuple[tuple[Findings, ...], tuple[Missing, ...]]:
    """Of each variant, then of all together where something is said of several; and which instruments have nothing to
    look at.
    """
    observing = [one for _, one in sorted(workspace.plugins.analyzers.items()) if one.observe is not None]
    alone = [one for one in observing if one.grain is not Grain.COHORT]
    spanning = [one for one in observing if one.grain is Grain.COHORT]
    groups = [(label, [variant], alone) for variant, label in zip(variants, labels, strict=True)]
    if len(variants) > 1:
        groups.append((TOGETHER, list(variants), spanning))
    told, missing = [], []
    for label, members, analyzers in groups:
        found: list[Finding] = []
        for analyzer in analyzers:
            of = label if len(variants) > 1 and label != TOGETHER else ""
            said = attempted(analyzer.name, of, partial(_said, workspace, analyzer, members))
            if isinstance(said, Missing):
                missing += [said] if said.command or said.reason.startswith("it failed") else []
            else:
                found += said
        if found or label != TOGETHER:
            told += [Findings(of=label, found=tuple(found))]
    return tuple(told), tuple(missing)


def _said(workspace: Workspace, analyzer: Analyzer, variants: Sequence[Variant]) -> list[Finding]:
    assert analyzer.observe is not None
    there = artifact_of(workspace, analyzer.name, variants)
    given = [_checked(analyzer.name, each) for each in analyzer.observe(there.observed)]
    return [Finding(text=one.text, artifact=there.named, value=one.value, interval=one.interval) for one in given]


def _checked(name: str, given: object) -> Observation:
    if isinstance(given, Observation):
        return given
    raise BadValue(
        f"{name!r} observed {given!r}.",
        "What an analyzer's `observe` gives are miscope.Observation records.",
        f"Correct it: `miscope where {name}` says in which file.",
    )
