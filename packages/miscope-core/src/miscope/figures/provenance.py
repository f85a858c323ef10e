"""Where the numbers of a view come from: which artifacts it shows, made by which version of what, when and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, final

from miscope.analysis.analyzer_options import Options
from miscope.analyzer import Analyzer, Grain
from miscope.errors import MiscopeError
from miscope.variant import Variant
from miscope.view import View

if TYPE_CHECKING:
    from miscope.artifact import ArtifactKey
    from miscope.workspace import Workspace

__all__ = ["ArtifactOrigin", "Provenance", "TrainedBy", "provenance"]


@final
@dataclass(frozen=True, kw_only=True)
class ArtifactOrigin:
    """One artifact that a view shows, or the one it would show if it were there."""

    variant: str
    """The one it is of; 'cohort/DIGEST' where it spans several."""
    analyzer: str
    version: int
    """Of the analyzer, as it is installed: artifacts of another version are another recipe."""
    package: str
    """'miscope-core 0.2.0': who provides the analyzer."""
    recipe: str
    """Digest of all that decides its numbers."""
    probe: str
    """Name and digest of the inputs; '-' for none, 'several' for variants that are shown different ones."""
    options: tuple[str, ...] = ()
    """Those away from their defaults, as one types them."""
    step: int | None = None
    """None where it spans training."""
    there: bool = False
    computed: datetime | None = None
    """UTC; None where it is not there, or no ledger of this workspace has it, as after an import."""
    run: str = ""
    """Name of the run that computed it."""
    host: str = ""
    miscope: str = ""
    """Version by which it was computed."""
    python: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class TrainedBy:
    """What the record of a variant says of where its weights come from."""

    variant: str
    digest: str
    facts: Mapping[str, str] = field(default_factory=dict)
    """'device': 'cpu', 'torch': '2.13.0', as far as they were written down."""


@final
@dataclass(frozen=True, kw_only=True)
class Provenance:
    """All that a view shows of some variants."""

    artifacts: tuple[ArtifactOrigin, ...]
    trained: tuple[TrainedBy, ...]


def provenance(
    workspace: Workspace,
    view: View,
    variants: Sequence[Variant],
    step: int | None = None,
    options: Options | None = None,
) -> Provenance:
    """Where what the view shows of these variants comes from.

    step: of a view of checkpoint grain; of one over training the last artifact stands for all. An analyzer that does
    not apply, or is not installed, is left out.
    """
    table = workspace.plugins.analyzers
    names = [name for name in dict.fromkeys(view.needs.artifacts) if name in table]
    origins = _origins(workspace, view, names, variants, _Asked(step=step, options=options or {}))
    return Provenance(artifacts=tuple(origins), trained=tuple(_trained(workspace, one) for one in variants))


@final
@dataclass(frozen=True, kw_only=True)
class _Asked:
    step: int | None
    options: Options


def _origins(
    workspace: Workspace, view: View, names: Sequence[str], variants: Sequence[Variant], asked: _Asked
) -> list[ArtifactOrigin]:
    """Of each analyzer one for each variant, or one where it spans them."""
    table, found = workspace.plugins.analyzers, []
    for name in names:
        for those in [variants] if table[name].grain is Grain.COHORT else [[one] for one in variants]:
            # One that it does not apply to takes nothing from the others.
            with suppress(MiscopeError):
                found += [*_keys(workspace, view, table[name], those, asked)]
    told = _told(workspace, [key for key, _ in found])
    return [_origin(workspace, key, typed, told.get((key.variant, key.recipe, key.step), {})) for key, typed in found]


def _keys(
    workspace: Workspace, view: View, analyzer: Analyzer, variants: Sequence[Variant], asked: _Asked
) -> Iterator[tuple[ArtifactKey, tuple[str, ...]]]:
    from miscope.analysis.computed import asked_for
    from miscope.analysis.resolved_analysis import cohort_key, resolve_analysis

    store, name = workspace.store, analyzer.name
    analyses = [
        resolve_analysis(workspace, one, [name], steps=store.finite_steps(one.name), options=asked.options)
        for one in variants
    ]
    if analyzer.grain is Grain.COHORT:
        yield cohort_key(analyses, name), asked_for(analyses[0], name)
        return
    for analysis in analyses:
        at = asked.step if view.grain is Grain.CHECKPOINT else None
        if analyzer.grain is Grain.CHECKPOINT and at is None:
            at = (store.artifact_steps(analysis.variant.name, name, analysis.recipes[name]) or [None])[-1]
        yield analysis.key(name, at), asked_for(analysis, name)


def _origin(
    workspace: Workspace, key: ArtifactKey, options: tuple[str, ...], told: Mapping[str, Any]
) -> ArtifactOrigin:
    analyzer, provider = workspace.plugins.analyzers[key.analyzer], workspace.plugins.provided_by
    of = provider["analyzer", key.analyzer]
    return ArtifactOrigin(
        variant=key.variant,
        analyzer=key.analyzer,
        version=analyzer.version,
        package=f"{of.package} {of.version}",
        recipe=key.recipe,
        probe=key.probe,
        options=options,
        step=key.step,
        there=workspace.store.has(key),
        computed=told.get("time"),
        run=told.get("run") or "",
        host=told.get("host") or "",
        miscope=told.get("miscope") or "",
        python=told.get("python") or "",
    )


def _told(workspace: Workspace, keys: Sequence[ArtifactKey]) -> dict[tuple[str, str, int | None], dict[str, Any]]:
    """What the ledger says of artifacts, by variant, recipe and step."""
    if not keys:
        return {}
    recipes = ", ".join(f"'{recipe}'" for recipe in sorted({key.recipe for key in keys}))
    try:
        rows = workspace.index.ask(_LINES.format(recipes=recipes)).to_pylist()
    except MiscopeError:
        return {}
    wanted = {(key.variant, key.recipe, key.step) for key in keys}
    by_key = {where: row for row in rows if (where := (row["variant"], row["recipe"], row["step"])) in wanted}
    begun = {run: _begun(workspace, run) for run in {row["run"] for row in by_key.values() if row["run"]}}
    return {where: {**begun.get(row["run"], {}), **row} for where, row in by_key.items()}


_LINES = """
SELECT a.variant, a.recipe, a.step, a.time, a.run, r.host
FROM artifacts AS a LEFT JOIN runs AS r ON r.run = a.run WHERE a.recipe IN ({recipes})
"""


def _begun(workspace: Workspace, run: str) -> Mapping[str, Any]:
    """The first line of a run."""
    try:
        return next(islice(workspace.ledger.lines(run), 1), {})
    except (MiscopeError, OSError):
        return {}


def _trained(workspace: Workspace, variant: Variant) -> TrainedBy:
    try:
        facts = workspace.store.variant_record(variant.name).facts
    except MiscopeError:
        facts = {}
    return TrainedBy(variant=variant.name, digest=variant.digest, facts=dict(_flat(facts)))


def _flat(facts: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """What is one word or number; of a mapping of such its own."""
    for name, value in facts.items():
        if isinstance(value, str | int | float):
            yield name, str(value)
        elif name in ("versions", "libraries") and isinstance(value, Mapping):
            yield from ((str(library), str(version)) for library, version in value.items())
