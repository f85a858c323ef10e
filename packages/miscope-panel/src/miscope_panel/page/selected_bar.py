"""What is selected for all cards, said once over them, with its keys and with the way to all there is to see of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, final

import param

from miscope.view import SELECTED
from miscope_panel.page.board import Board
from miscope_panel.page.client import source, style
from miscope_panel.page.page_component import PageComponent
from miscope_panel.page.page_record import PageContext
from miscope_panel.shown.one_of import lens_of, lenses_of_one
from miscope_panel.shown.selectable import selectable
from miscope_panel.shown.selected import moved_by, selecting, shown_instead
from miscope_panel.shown.selection import Place

__all__ = ["SelectedBar"]


@final
class SelectedBar(PageComponent):
    """Invisible while nothing is selected; the keys move it also then."""

    shown = param.List(
        default=[], item_type=dict, doc="what, value, lens (whether there is one of it), open (it is), note."
    )
    active = param.Boolean(default=True, doc="Whether keys select.")

    _esm = source("selected_bar")
    _stylesheets: ClassVar[list[str]] = [style("selected_bar")]

    def __init__(self, context: PageContext, cards: Board, **params: Any) -> None:
        super().__init__(**params)
        self._views, self._selection, self._cards = context.server.workspace.plugins.views, context.selection, cards
        self._selectable, self._lenses = selectable(self._views.values()), lenses_of_one(self._views)
        self.on_lens: Callable[[str], None] = lambda name: None
        # A card that is drawn says what it could show of what is selected.
        cards.on_shown = lambda: self.follow(self._selection.place)

    def follow(self, place: Place) -> None:
        """Show what is selected there."""
        order = (*SELECTED, *sorted(self._selectable.difference(SELECTED)))
        given = {what: place.selected[what] for what in order if what in place.selected and what in self._selectable}
        shown = [
            {
                "what": what,
                "value": value,
                "lens": lens_of(what) in self._lenses,
                "open": lens_of(what) == place.lens,
                "note": shown_instead(value, self._cards.showing(what)),
            }
            for what, value in given.items()
        ]
        self.change(shown=shown, active=place.page == "views", css_classes=[] if shown else ["away"])

    def _handle_msg(self, data: dict[str, Any]) -> None:
        place = self._selection.place
        match data:
            case {"kind": "move", "of": list(several), "by": int(amount)}:
                self._move([str(what) for what in several], amount)
            case {"kind": "leave", "what": str(what)}:
                left = {name: value for name, value in place.selected.items() if name != what}
                self._selection.move(selected=left)
            case {"kind": "lens", "what": str(what)} if lens_of(what) in self._lenses:
                self.on_lens("" if place.lens == lens_of(what) else lens_of(what))

    def _move(self, several: list[str], amount: int) -> None:
        """To the next one of the first of these that an open card shows."""
        place = self._selection.place
        for what in several:
            control = self._cards.offered(what)
            value = moved_by(control, place.selected.get(what), amount) if control is not None else None
            if value is not None:
                self._selection.place = selecting(place, {what: value}, self._views, self._cards.sections)
            if control is not None:
                return
