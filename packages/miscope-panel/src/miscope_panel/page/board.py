"""The board of cards: one for each open view, in order, under the headings of its lens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, final

import panel as pn
from panel.io.document import unlocked

from miscope.analyzer import Grain
from miscope_panel.page.board_heading import BoardHeading
from miscope_panel.page.board_part import put_on
from miscope_panel.page.card import Card
from miscope_panel.page.client import sheet
from miscope_panel.page.computing import Computing
from miscope_panel.page.drawing_ahead import DrawingAhead
from miscope_panel.page.page_record import PageContext
from miscope_panel.shown import pin
from miscope_panel.shown.about import told
from miscope_panel.shown.card_looks import LOOKS, between_shown, looks_among, without_looks
from miscope_panel.shown.files_changed import FilesChanged
from miscope_panel.shown.lens_cards import CardSection, under_headings
from miscope_panel.shown.picture import Picture, Request
from miscope_panel.shown.pin import view_of
from miscope_panel.shown.selected import selected_of, selecting, turning
from miscope_panel.shown.selection import Place, settled
from miscope_panel.shown.shared_controls import given_by_bar, left_to_bar, shared_by

__all__ = ["Board"]

_SCREENFUL = 6
"""Cards drawn before the browser has said which of them can be seen."""


@final
class Board:
    """Has its cards show the selection, and moves it where a card was pressed."""

    def __init__(self, context: PageContext) -> None:
        self._workspace, self._errands, self.selection = context.server.workspace, context.errands, context.selection
        self.computing = Computing(context)
        self._pictures = context.server.pictures
        self._picture = partial(self._pictures.picture, self._workspace)
        self._ahead = DrawingAhead(context.errands, partial(self._pictures.ahead, self._workspace))
        self.on_shown: Callable[[], None] = lambda: None
        """Called when a card shows another picture."""
        self.on_film: Callable[[Request, str], None] = lambda request, suffix: None
        # Bokeh warns of a column without anything in it.
        self.view = pn.Column(pn.Spacer(height=0), sizing_mode="stretch_width", margin=0, stylesheets=[sheet("board")])
        self.sections: tuple[CardSection, ...] = ()
        """Of the lens that the cards were opened by."""
        self._cards: dict[str, Card] = {}
        self._headings: dict[str, BoardHeading] = {}
        self._steps: Sequence[int] = ()

    def say(self, notice: Card) -> None:
        """Show nothing but this card."""
        self.view[:] = [notice]

    def forget(self) -> None:
        """Take what the cards show for old."""
        self._pictures.forget()
        for card in self._cards.values():
            card.forget()
        self.sections = ()

    def variants(self) -> set[str]:
        """Those that the cards are of, held ones too."""
        requests = [request for _, request in self.cards()]
        return {name for request in requests for name in (request.variant, *request.compared)}

    def renew(self, files: FilesChanged) -> None:
        """Have drawn anew what is drawn of these."""
        for entry, card in self._cards.items():
            request, view = self._request(entry, self.selection.place), self._workspace.plugins.views[view_of(entry)]
            of = files.of((request.variant, *request.compared))
            if of.concern(view, whole=card.is_whole):
                card.renew(urgent=bool(of.rested))
        self.computing.renew(files)

    def lay_out(self, place: Place, steps: Sequence[int]) -> None:
        """One card for each open view, in order; those already there stay as they are.

        steps: those of the variant's checkpoints.
        """
        self._steps = steps
        entries = [entry for entry in place.views if view_of(entry) in self._workspace.plugins.views]
        groups = under_headings(entries, self.sections)
        entries = [entry for _, those in groups for entry in those]
        cards = {entry: self._card(entry, in_sight=i < _SCREENFUL) for i, entry in enumerate(entries)}
        new = [entry for entry in cards if entry not in self._cards]
        if self._cards and len(new) == 1:
            cards[new[0]].fresh = True
        board = [
            each for title, those in groups for each in (*self._heading(title), *(cards[entry] for entry in those))
        ]
        put_on(self.view, board)
        self._cards = cards
        self.computing.keep(cards.values())
        self._ahead.move(steps, settled(steps, place.step))
        with unlocked():  # what changes of all cards goes to the browser together
            for entry, card in self._cards.items():
                turned = place.controls_of(entry)
                elsewhere = shared_by(self._workspace.plugins.views[view_of(entry)], place, entry)
                card.change(looks=looks_among(turned), turned=turned, elsewhere=elsewhere)
                card.ask(self._request(entry, place), self._picture, self._errands)

    def cards(self) -> list[tuple[str, Request]]:
        """What each card is called, and what it shows, in order."""
        place = self.selection.place
        return [(card.title, self._request(entry, place)) for entry, card in self._cards.items()]

    def offered(self, what: str) -> dict[str, Any] | None:
        """A control that selects this, as the first card that has one describes it."""
        for entry, card in self._cards.items():
            view = self._workspace.plugins.views[view_of(entry)]
            for control in card.picture.get("controls", ()) if not card.held else ():
                if view.selected_by.get(control["name"]) == what:
                    return control
        return None

    def showing(self, what: str) -> list[dict[str, Any]]:
        """Controls that show what is selected, as the cards that are drawn by now describe them.

        Without those that were turned for their card alone.
        """
        place, found = self.selection.place, []
        for entry, card in self._cards.items():
            request = self._request(entry, place)
            if entry in place.views and card.shows(request):
                selects = self._workspace.plugins.views[view_of(entry)].selected_by
                names = [
                    name for name in request.selected if name not in request.controls and selects.get(name) == what
                ]
                found += [control for control in card.picture.get("controls", ()) if control["name"] in names]
        return found

    def _title(self, entry: str) -> str:
        """What the lens calls the card."""
        return next((section.cards[entry].title for section in self.sections if entry in section.cards), "")

    def _heading(self, title: str) -> list[BoardHeading]:
        """What stands over a section's cards, the same each time; none over cards of no lens."""
        if title and title not in self._headings:
            self._headings[title] = BoardHeading(title=title, sizing_mode="stretch_width", margin=0)
        return [self._headings[title]] if title else []

    def _card(self, entry: str, *, in_sight: bool) -> Card:
        view = self._workspace.plugins.views[view_of(entry)]
        title = self._title(entry) or view.title
        if entry in self._cards and self._cards[entry].title == title:
            return self._cards[entry]
        held = pin.read(entry) is not None
        card = Card(
            view=entry,
            title=title,
            summary=view.summary,
            in_sight=in_sight,
            held=held,
            holdable=not held and view.grain is not Grain.COHORT,
            sizing_mode="stretch_width",
            margin=0,
        )
        card.on_message, card.tell = partial(self._hear, entry), partial(told, self._workspace, title)
        card.on_shown = partial(self._shown, card)
        return card

    def _shown(self, card: Card, request: Request, made: Picture) -> None:
        self.computing.shown(card, request, made)
        self.on_shown()
        seen = {entry: each for entry, each in self._cards.items() if each.in_sight}
        if not any(each.pending for each in seen.values()):
            asked = [self._request(entry, self.selection.place) for entry, each in seen.items() if not each.held]
            self._ahead.follow([each for each in asked if each.step is not None])

    def _hear(self, entry: str, message: dict[str, Any]) -> None:
        place, views = self.selection.place, self._workspace.plugins.views
        match message:
            case {"kind": "close"}:
                self.selection.place = place.close(entry)
            case {"kind": "turn", "control": str(control), "value": str(value)}:
                turned = turning(place, (entry, control, value), views, self.sections)
                self.selection.place = left_to_bar(turned, views[view_of(entry)], entry, self.sections)
            case {"kind": "select", "values": dict(values)}:
                self.selection.place = selecting(place, values, views, self.sections)
            case {"kind": "look", "look": str(look), "value": str(value)} if look in LOOKS:
                self.selection.place = place.turn(entry, look, value or None)
            case {"kind": "catalogue"}:
                self.selection.place = replace(place, page="catalogue").turn(
                    "catalogue", "show", f"view:{view_of(entry)}"
                )
            case {"kind": "hold"}:
                now, selected = self._request(entry, place), selected_of(place, entry, views[view_of(entry)])
                self.selection.place = place.hold(
                    entry, pin.Pin(view=entry, variant=now.variant, step=now.step), selected
                )
            case {"kind": "film", "suffix": str(suffix)}:
                self.on_film(self._request(entry, place), suffix)
            case {"kind": "compute"}:
                self.computing.hear(self._cards[entry], message)

    def _request(self, entry: str, place: Place) -> Request:
        held, name, controls = pin.read(entry), view_of(entry), without_looks(place.controls_of(entry))
        view = self._workspace.plugins.views[name]
        common = {**given_by_bar(view, place, entry), **selected_of(place, entry, view)}
        if held is not None:
            return Request(view=name, variant=held.variant, step=held.step, controls=controls, selected=common)
        grain = view.grain
        return Request(
            view=name,
            variant=place.variant,
            exact=any(entry in section.cards for section in self.sections),
            # Only what the picture depends on, so that the same picture is never asked for twice.
            step=settled(self._steps, place.step) if grain is Grain.CHECKPOINT else None,
            compared=place.compared if grain is Grain.COHORT else (),
            colours=place.colours if grain is Grain.COHORT else {},
            between=between_shown(view, place.controls_of("cursor").get("between", "")),
            controls=controls,
            selected=common,
        )
