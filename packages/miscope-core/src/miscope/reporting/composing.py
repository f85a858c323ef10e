"""Everything a report says, put together from what a workspace has; nothing is computed for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from typing import final

from miscope.artifact import Arrays
from miscope.errors import BadValue
from miscope.field_docs import documented
from miscope.figures.differences import labels as labels_of
from miscope.reporting.agreement import agreement, groups_of_seeds
from miscope.reporting.chosen_views import Asked, wanted_views
from miscope.reporting.content import Missing, Report, ShownView, Table
from miscope.reporting.event_table import detected_events, event_steps, event_table
from miscope.reporting.observing import findings
from miscope.reporting.recorded_views import recorded_views
from miscope.reporting.repeating import repeating
from miscope.reporting.showing import Picture, shown_views
from miscope.reporting.variant_tables import differing, provenance, settings, summary
from miscope.snapshot import Series
from miscope.variant import Variant
from miscope.workspace import Workspace

__all__ = ["Draft", "composed"]


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Draft:
    """A report in the making."""

    done: int
    """Parts that are done."""
    total: int
    """Parts in all: tables and sentences are one, each figure is another, and the file is the last."""
    report: Report | None = None
    """The whole, once only the file is left to be made."""


def composed(
    workspace: Workspace,
    variants: Sequence[Variant],
    *,
    views: Asked = (),
    title: str = "",
    picture: Picture | None = None,
) -> Iterator[Draft]:
    """The report of these variants, in the last draft; the arguments are those of `reporting.report.report`."""
    several = list({variant.name: variant for variant in variants}.values())
    if not several:
        raise BadValue("There is no variant to report on.", "A report is of one or more.", "Name at least one.")
    for variant in several:
        workspace.store.refuse_another(variant)
    labels = labels_of(several) if len(several) > 1 else [several[0].slug]
    wanted = wanted_views(workspace.plugins, several, labels, views)
    wanted = [*([] if views else recorded_views(workspace, wanted, several, labels)), *wanted]
    total = len(wanted) + 2
    yield Draft(done=0, total=total)
    told, unseen = findings(workspace, several, labels)
    yield Draft(done=1, total=total)
    made: list[ShownView | Missing] = []
    for each in shown_views(workspace, wanted, picture):
        made.append(each)
        yield Draft(done=1 + len(made), total=total)
    recorded = [workspace.store.metrics(one.name) for one in several]
    detected = detected_events(workspace, several, labels)
    absent = [each for each in made if isinstance(each, Missing)]
    whole = Report(
        title=title or _title(workspace, several),
        lead=f"{_counted(several)}. Written {date.today().isoformat()} by miscope {version('miscope-core')}.",
        summary=summary(workspace, several, labels, recorded),
        differing=differing(several, labels) if len(several) > 1 else None,
        events=event_table(detected, labels, workspace.plugins.family(several[0].family).step_label),
        agreement=_agreement(several, labels, recorded, detected),
        findings=told,
        views=tuple(each for each in made if isinstance(each, ShownView)),
        missing=tuple({(one.name, one.of, one.command): one for one in (*unseen, *absent)}.values()),
        settings=settings(several, labels),
        provenance=provenance(workspace, several, labels),
        commands=tuple(repeating(workspace, several)),
    )
    yield Draft(done=total - 1, total=total, report=whole)


def _title(workspace: Workspace, variants: Sequence[Variant]) -> str:
    if len(variants) == 1:
        return variants[0].name
    families = dict.fromkeys(workspace.plugins.family(variant.family).title for variant in variants)
    return f"{len(variants)} variants: {', '.join(families)}"


def _counted(variants: Sequence[Variant]) -> str:
    names = ", ".join(variant.name for variant in variants)
    return f"A report on {names}" if len(variants) == 1 else f"A report on {len(variants)} variants: {names}"


def _agreement(
    variants: Sequence[Variant],
    labels: Sequence[str],
    recorded: Sequence[Mapping[str, Series]],
    detected: Sequence[Arrays | Missing],
) -> tuple[Table, ...]:
    events = event_steps(detected)
    return tuple(agreement(places, labels, recorded, events) for places in groups_of_seeds(variants))
