"""Open cards as the figures of a report: each with its variants, its step, its controls and its title."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from miscope.analyzer import Grain
from miscope.reporting.asked_figure import AskedFigure
from miscope_panel.shown.computed_options import names_an_option, options_given
from miscope_panel.shown.picture import Request, as_shown

if TYPE_CHECKING:
    from pathlib import Path

    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["asked_figure", "report_of_cards"]

Titled = tuple[str, Request]


def report_of_cards(
    workspace: Workspace, cards: Sequence[Titled], named: Iterable[str], path: Path
) -> Iterator[tuple[int, int]]:
    """Write the report, by the suffix of the path; parts that are done, and all, after each of them.

    cards: title and request of each. named: the variants on the page. Raises what `reporting.report.report` does.
    """
    from miscope.reporting.report import report

    figures = [asked_figure(workspace, title, as_shown(workspace, request)) for title, request in cards]
    found = {name: workspace.find(name) for name in named}
    found |= {variant.name: variant for figure in figures for variant in figure.variants}
    for draft in report(workspace, list(found.values()), path, views=figures):
        yield draft.done, draft.total


def asked_figure(workspace: Workspace, title: str, request: Request) -> AskedFigure:
    """What a report is asked for the same picture; the request is as for elsewhere (`as_shown`)."""
    view = workspace.plugins.view(request.view)
    names = [request.variant, *(request.compared if view.grain is Grain.COHORT else ())]
    known = {control.name for control in view.all_controls}
    variants: tuple[Variant, ...] = tuple(workspace.find(name) for name in dict.fromkeys(names))
    return AskedFigure(
        view=request.view,
        variants=variants,
        step=request.step,
        controls={name: value for name, value in request.controls.items() if name in known},
        options=options_given(workspace, {n: v for n, v in request.controls.items() if names_an_option(n)}),
        title=title,
    )
