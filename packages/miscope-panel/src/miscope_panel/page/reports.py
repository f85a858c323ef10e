"""The report on the open cards, and films of one of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, final

from miscope_panel.page.file_work import Task
from miscope_panel.page.making import Making
from miscope_panel.page.page_record import PageContext
from miscope_panel.shown.film_of_card import film_of_card
from miscope_panel.shown.picture import Request
from miscope_panel.shown.report_cards import report_of_cards

__all__ = ["SUFFIXES", "Reports"]

SUFFIXES = ("html", "pdf", "md", "ipynb")
_FILMS = ("gif", "webp", "mp4", "html")


@final
class Reports:
    """Has it made of the cards as they are when it is asked for."""

    def __init__(self, context: PageContext, cards: Callable[[], list[tuple[str, Request]]]) -> None:
        self._workspace, self._selection, self._cards = context.server.workspace, context.selection, cards
        self.making = Making(context, of="views")
        self.view = self.making.view
        self.view.on_message = self._hear

    def film(self, request: Request, suffix: str) -> None:
        """Have the card's checkpoints made one film, or a page with a slider."""
        if suffix in _FILMS:
            name = f"{request.variant.partition('/')[2]}.{request.view}.{suffix}"
            work = partial(film_of_card, self._workspace, request)
            self.making.begin(Task(what="The page" if suffix == "html" else "The film", name=name, work=work))

    def _hear(self, message: dict[str, Any]) -> None:
        match message:
            case {"kind": "report", "suffix": str(suffix)} if suffix in SUFFIXES:
                place, cards = self._selection.place, self._cards()
                names = tuple(dict.fromkeys([place.variant, *place.compared]))
                if cards:
                    stem = place.variant.partition("/")[2] if len(names) == 1 else f"{len(names)}-variants"
                    work = partial(report_of_cards, self._workspace, cards, names)
                    self.making.begin(Task(what="The report", name=f"{stem}.report.{suffix}", work=work))
            case {"kind": "find", "key": str(key)}:
                self.making.find(key)
            case {"kind": "leave"}:
                self.making.leave()
