"""Pictures of several variants as files, and as the figures of a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from miscope.errors import BadValue
from miscope.figures.export import export
from miscope.reporting.asked_figure import AskedFigure
from miscope_panel.shown.comparing.compared_view import ComparedCard, compared_view
from miscope_panel.shown.report_cards import asked_figure

if TYPE_CHECKING:
    from pathlib import Path

    from miscope.workspace import Workspace
    from miscope_panel.shown.comparing.compared_request import ComparedRequest

__all__ = ["compared_file", "compared_report"]


def compared_file(
    workspace: Workspace, request: ComparedRequest, place: int, preset: str | None, path: Path
) -> Iterator[tuple[int, int]]:
    """Write one of the pictures, by the suffix of the path; parts that are done, and all.

    Raises what `figures.export.export` does, and BadValue where there is no figure.
    """
    yield 0, 2
    cards = compared_view(workspace, request).cards
    drawn = cards[place].drawn if place < len(cards) else None
    if drawn is None:
        raise BadValue("This card has no figure any more.", "What it shows has changed.", "Look at it, and ask again.")
    yield 1, 2
    export(drawn, path, preset=preset)
    yield 2, 2


def compared_report(workspace: Workspace, requests: Sequence[ComparedRequest], path: Path) -> Iterator[tuple[int, int]]:
    """Write the report on all pictures, by the suffix of the path; parts that are done, and all, after each of them.

    Raises what `reporting.report.report` does.
    """
    from miscope.reporting.report import report

    figures = [each for request in requests for each in _figures(workspace, request)]
    names = dict.fromkeys(member.name for request in requests for member in request.members)
    for draft in report(workspace, [workspace.find(name) for name in names], path, views=figures):
        yield draft.done, draft.total


def _figures(workspace: Workspace, request: ComparedRequest) -> Iterator[AskedFigure]:
    """As the page shows them; what cannot be drawn is asked for too, so that the report says why not."""
    title = workspace.plugins.view(request.view).title
    for card in compared_view(workspace, request).cards:
        if card.again is not None:
            yield card.again.asked(workspace, _titled(title, card))
        elif card.request is not None:
            yield asked_figure(workspace, title, card.request)


def _titled(title: str, card: ComparedCard) -> str:
    return f"{title}: {card.title}" if card.title else title
