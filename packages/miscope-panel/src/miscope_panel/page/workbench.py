"""The page of cards: views of the variant that is looked at, and the step cursor under them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any, final

import panel as pn

from miscope.analyzer import Grain
from miscope.figures.lenses import known_lenses
from miscope.inventory import look_up
from miscope.workspace import Workspace
from miscope_panel.page.card import Card
from miscope_panel.page.client import sheet
from miscope_panel.page.context_bar import ContextBar
from miscope_panel.page.cursor import Cursor
from miscope_panel.page.opening import opened
from miscope_panel.page.page_record import PageContext
from miscope_panel.page.sidebar import Sidebar
from miscope_panel.shown import pin
from miscope_panel.shown.card_looks import LOOKS, looks_among, without_looks
from miscope_panel.shown.lens_cards import CardSection, sections_of, under_headings
from miscope_panel.shown.picture import Request, State, command, picture, why_not
from miscope_panel.shown.pin import view_of
from miscope_panel.shown.selection import Place, settled
from miscope_panel.shown.studies import studies
from miscope_panel.shown.variant_events import events_of

__all__ = ["Workbench"]

_SCREENFUL = 6
"""Cards drawn before the browser has said which of them can be seen."""


@final
class Workbench:
    """Follows the selection while it is looked at, and moves it."""

    def __init__(self, context: PageContext) -> None:
        self._workspace, self._errands, self.selection = context.server.workspace, context.errands, context.selection
        self._names: list[str] = []
        place = self.selection.place
        self.cursor = Cursor(asked=place.step, sizing_mode="stretch_width", margin=0)
        self.sidebar = Sidebar(self.selection, self._names, self._workspace.plugins.views)
        # Bokeh warns of a column without anything in it.
        self.board = pn.Column(pn.Spacer(height=0), sizing_mode="stretch_width", margin=0, stylesheets=[sheet("board")])
        self.context_bar = ContextBar(self._workspace, self._errands)
        self.view = pn.Column(
            self.context_bar.view,
            self.board,
            self.cursor,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[sheet("workbench")],
        )
        self._cards: dict[str, Card] = {}
        self._headings: dict[str, pn.pane.HTML] = {}
        self._sections: tuple[CardSection, ...] = ()
        self._worked_on: Place | None = None
        """What cards, cursor and sidebar show: where the visitor was when they were last looked at; None before."""
        self._left = False
        """Whether another page was looked at since."""
        self.cursor.param.watch(lambda event: self.selection.move(step=event.new), "asked")
        self.cursor.param.watch(lambda event: self._space(event.new), "spacing")
        self.sidebar.on_again = self.look_again
        self.sidebar.on_lens = self._look_through

    def _offer(self) -> None:
        """What the menus hold beside variants, found where it keeps nobody waiting."""
        lenses = known_lenses(self._workspace).lenses
        self.sidebar.offer(lenses, {})
        if len(self._names) < 2:
            return
        self._errands.send(partial(studies, self._workspace), partial(self.sidebar.offer, lenses))

    def _space(self, spacing: str) -> None:
        self.selection.place = self.selection.place.turn("cursor", "spacing", None if spacing == "linear" else spacing)

    def _look_through(self, lens: str) -> None:
        place, sections = self.selection.place, sections_of(self._workspace, lens)
        self.selection.place = place.through(lens, sections) if sections else replace(place, lens="")

    def follow(self, place: Place) -> None:
        """Have the cards, the cursor and the sidebar show the place, filled in where a visitor first comes to it."""
        self.cursor.active = place.page == "views"
        if place.page != "views":
            self._left = True
            return
        if self._left and self._worked_on is not None:
            # Elsewhere variants are trained, deleted and brought back.
            self._errands.send(partial(_known, self._workspace), self._know)
        self._left = False
        if self._worked_on is None or not place.variant:
            self._names = _known(self._workspace)
            self.sidebar.know(self._names)
            self._offer()
            self._worked_on = Place()
            filled = opened(self._workspace, self._names, place)
            if filled != place:
                # Comes back here.
                self.selection.place = filled
                return
        old, self._worked_on = self._worked_on, place
        self._work_on(old, place)
        self.cursor.css_classes = [] if self.cursor.steps else ["away"]

    def _know(self, names: list[str]) -> None:
        if names != self._names:
            self._names = names
            self.sidebar.know(names)

    def arrive(self) -> None:
        """A visitor comes from outside, by an address: what it leaves open is filled in once more."""
        self._worked_on = None

    def sections_of(self, place: Place) -> tuple[CardSection, ...]:
        """Those of its lens, also while the cards are not looked at."""
        known = self._worked_on is not None and place.lens == self._worked_on.lens
        return self._sections if known else sections_of(self._workspace, place.lens)

    def _work_on(self, old: Place, new: Place) -> None:
        """Have the cards, the cursor and the sidebar show the place."""
        if (new.variant, new.compared) != (old.variant, old.compared) and not {new.variant, *new.compared} <= {
            *self._names
        }:
            # The table of runs is read anew more often than this page's variants.
            self._names = _known(self._workspace)
            self.sidebar.know(self._names)
        if new.variant != old.variant:
            self._take_up(new.variant)
        if new.lens != old.lens:
            self._sections = sections_of(self._workspace, new.lens)
        if (new.variant, new.compared) != (old.variant, old.compared) and new.variant in self._names:
            self._errands.send(partial(_states, self._workspace, new), partial(self._explain, new))
        self.context_bar.follow(new)
        spacing = "log" if new.controls_of("cursor").get("spacing") == "log" else "linear"
        self.cursor.param.update(asked=new.step, spacing=spacing)
        self._lay_out(new)
        self.cursor.followed = new.step
        if (new.variant, new.compared, new.views) != (old.variant, old.compared, old.views):
            # Not at every move of the cursor: comparing the catalogue with itself took longer than all else together.
            self.sidebar.follow(new)

    def _take_up(self, variant: str) -> None:
        """What depends on the variant alone; its events and what it has views for come when they are known."""
        plugins = self._workspace.plugins
        family = plugins.families.get(variant.partition("/")[0])
        self.cursor.param.update(
            steps=self._workspace.store.steps(variant) if variant in self._names else [],
            step_label=family.step_label if family else "step",
            events={},
        )
        if variant not in self._names:
            return
        self._errands.send(partial(events_of, self._workspace, variant), partial(self._mark, variant))

    def _mark(self, variant: str, events: Mapping[str, float]) -> None:
        if variant == self.selection.place.variant:
            self.cursor.events = dict(events)

    def _explain(self, place: Place, states: dict[str, tuple[State, str]]) -> None:
        now = self.selection.place
        if (place.variant, place.compared) == (now.variant, now.compared):
            self.sidebar.explain(states)

    def _lay_out(self, place: Place) -> None:
        """One card for each open view, in order; those already there stay as they are."""
        if not self._names or place.variant not in self._names or not place.views:
            self.board[:] = [self._notice(place)]
            return
        entries = [entry for entry in place.views if view_of(entry) in self._workspace.plugins.views]
        groups = under_headings(entries, self._sections)
        entries = [entry for _, those in groups for entry in those]
        cards = {entry: self._card(entry, in_sight=i < _SCREENFUL) for i, entry in enumerate(entries)}
        new = [entry for entry in cards if entry not in self._cards]
        if self._cards and len(new) == 1:
            cards[new[0]].fresh = True
        board = [
            each for title, those in groups for each in (*self._heading(title), *(cards[entry] for entry in those))
        ]
        if list(self.board) != board:
            self.board[:] = board
        self._cards = cards
        for entry, card in self._cards.items():
            card.looks = looks_among(place.controls_of(entry))
            card.ask(self._request(entry, place), partial(picture, self._workspace), self._errands)

    def _title(self, entry: str) -> str:
        """What the lens calls the card."""
        return next((section.cards[entry].title for section in self._sections if entry in section.cards), "")

    def _heading(self, title: str) -> list[pn.pane.HTML]:
        """What stands over a section's cards, the same each time; none over cards of no lens."""
        if title and title not in self._headings:
            text = f"<h2>{escape(title)}</h2>"
            look = [sheet("section")]
            self._headings[title] = pn.pane.HTML(text, sizing_mode="stretch_width", margin=0, stylesheets=look)
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
        card.on_message = partial(self._hear, entry)
        return card

    def _hear(self, entry: str, message: dict[str, Any]) -> None:
        place = self.selection.place
        match message:
            case {"kind": "close"}:
                self.selection.place = place.close(entry)
            case {"kind": "turn", "control": str(control), "value": str(value)}:
                self.selection.place = place.turn(entry, control, value)
            case {"kind": "look", "look": str(look), "value": str(value)} if look in LOOKS:
                self.selection.place = place.turn(entry, look, value or None)
            case {"kind": "hold"}:
                now = self._request(entry, place)
                self.selection.place = place.hold(entry, pin.Pin(view=entry, variant=now.variant, step=now.step))

    def _request(self, entry: str, place: Place) -> Request:
        held, name, controls = pin.read(entry), view_of(entry), without_looks(place.controls_of(entry))
        if held is not None:
            return Request(view=name, variant=held.variant, step=held.step, controls=controls)
        grain = self._workspace.plugins.views[name].grain
        return Request(
            view=name,
            variant=place.variant,
            exact=any(entry in section.cards for section in self._sections),
            # Only what the picture depends on, so that the same picture is never asked for twice.
            step=settled(self.cursor.steps, place.step) if grain is Grain.CHECKPOINT else None,
            compared=place.compared if grain is Grain.COHORT else (),
            controls=controls,
        )

    def look_again(self) -> None:
        """Take up what was trained and computed since the page was opened."""
        for card in self._cards.values():
            card.forget()
        self._worked_on, self._sections = None, ()
        self.follow(self.selection.place)
        self.context_bar.look_again()

    def _notice(self, place: Place) -> Card:
        if not self._names:
            title, words = (
                "No variants yet.",
                [f"The workspace at {self._workspace.root} is empty. To fill it:"],
            )
            texts = ["miscope demo", "miscope train FAMILY", "miscope import PATH"]
        elif place.variant in self._workspace.names() and place.variant not in self._names:
            problem = look_up(self._workspace.store, self._workspace.plugins, place.variant).problem
            title, words, texts = f"{place.variant!r} cannot be opened.", [problem, "Or choose one on the left."], []
        elif place.variant not in self._names:
            title, words = f"There is no variant {place.variant!r} here.", ["Choose one on the left; or train it:"]
            texts = ["miscope train " + place.variant.partition("/")[0]]
        else:
            title, words, texts = "No view is open.", ["Open one on the left."], []
        notice = {"state": "notice", "words": words, "commands": [command(self._workspace, text) for text in texts]}
        return Card(
            title=title, closable=False, picture=notice, css_classes=["notice"], sizing_mode="stretch_width", margin=0
        )


def _known(workspace: Workspace) -> list[str]:
    """Variants that can be shown."""
    return [variant.name for variant in workspace.variants()]


def _states(workspace: Workspace, place: Place) -> dict[str, tuple[State, str]]:
    asked = dict.fromkeys((place.variant, *place.compared))
    known = (look_up(workspace.store, workspace.plugins, name).variant for name in asked)
    value, *compared = (variant for variant in known if variant is not None)
    return {name: why_not(workspace, view, value, compared) for name, view in workspace.plugins.views.items()}
