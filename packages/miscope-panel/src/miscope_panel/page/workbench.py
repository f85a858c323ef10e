"""The page of cards: views of the variant that is looked at, and the step cursor under them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, final

import panel as pn

from miscope.failure import Failure, tried
from miscope.inventory import look_up
from miscope.workspace import Workspace
from miscope_panel.page.board import Board
from miscope_panel.page.card import Card
from miscope_panel.page.client import sheet
from miscope_panel.page.context_bar import ContextBar
from miscope_panel.page.cursor import Cursor
from miscope_panel.page.cursor_course import CursorCourse
from miscope_panel.page.live_workbench import LiveParts, LiveWorkbench
from miscope_panel.page.opening import opened
from miscope_panel.page.paced import Paced
from miscope_panel.page.page_record import PageContext
from miscope_panel.page.reports import Reports
from miscope_panel.page.selected_bar import SelectedBar
from miscope_panel.page.sidebar import Sidebar
from miscope_panel.shown.lens_cards import CardSection, sections_of
from miscope_panel.shown.one_of import lenses_on_page
from miscope_panel.shown.picture import State, command, why_not
from miscope_panel.shown.selection import Place
from miscope_panel.shown.studies import studies
from miscope_panel.shown.training_named import training_named

__all__ = ["Workbench"]


_ELSEWHERE = {"launch": "Train one on the page Launch", "catalogue": "Look at what there is to see"}
"""Pages that are of use where there is no variant, and what leads there."""


@final
class Workbench:
    """Follows the selection while it is looked at, and moves it."""

    def __init__(self, context: PageContext) -> None:
        self._workspace, self._errands, self.selection = context.server.workspace, context.errands, context.selection
        self._names: list[str] = []
        place = self.selection.place
        self.cursor = Cursor(asked=place.step, sizing_mode="stretch_width", margin=0)
        self.course = CursorCourse(context, self.cursor)
        self.sidebar = Sidebar(self.selection, self._names, self._workspace.plugins, self._errands)
        self.cards = Board(context)
        self.board = self.cards.view
        self.context_bar = ContextBar(self._workspace, self._errands)
        self.selected = SelectedBar(context, self.cards, sizing_mode="stretch_width", margin=0)
        self.selected.on_lens = self._look_through
        self.reports = Reports(context, self.cards.cards)
        self.cards.on_film = self.reports.film
        self.view = pn.Column(
            self.context_bar.view,
            self.reports.view,
            self.selected,
            self.board,
            self.cursor,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[sheet("workbench")],
        )
        self._worked_on: Place | None = None
        """What cards, cursor and sidebar show: where the visitor was when they were last looked at; None before."""
        self._left = False
        """Whether another page was looked at since."""
        self.sidebar.on_again = self.look_again
        self.sidebar.on_lens = self._look_through
        parts = LiveParts(
            cards=self.cards, course=self.course, context_bar=self.context_bar, read_states=self._read_states
        )
        self.live = LiveWorkbench(context, parts)
        self.live.variants.on_moved = self._look_for_variants
        # One at a time, however many runs begin and end.
        self._listing = Paced(self._list)

    def _offer(self) -> None:
        """What the menus hold beside variants, found where it keeps nobody waiting."""
        lenses = lenses_on_page(self._workspace)
        self.sidebar.offer(lenses, {})
        if len(self._names) < 2:
            return
        self._errands.send(partial(studies, self._workspace), partial(self.sidebar.offer, lenses))

    def _look_through(self, lens: str) -> None:
        place, sections = self.selection.place, sections_of(self._workspace, lens)
        self.selection.place = place.through(lens, sections) if sections else replace(place, lens="")

    def follow(self, place: Place) -> None:
        """Have the cards, the cursor and the sidebar show the place, filled in where a visitor first comes to it."""
        self.cursor.active = self.sidebar.lenses.active = place.page == "views"
        self.cards.computing.look(looked_at=place.page == "views")
        self.course.look(looked_at=place.page == "views")
        self.selected.follow(place)
        self.live.follow(place)
        if place.page != "views":
            self._left = True
            return
        if self._left and self._worked_on is not None:
            # Elsewhere variants are trained, deleted and brought back.
            self._look_for_variants()
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

    def _look_for_variants(self) -> None:
        self._listing.want(urgent=True)

    def _list(self) -> None:
        self._errands.send(partial(tried, partial(_known, self._workspace)), self._listed)

    def _listed(self, names: list[str] | Failure) -> None:
        self._know(names)
        self._listing.done()

    def _know(self, names: list[str] | Failure) -> None:
        if isinstance(names, Failure) or names == self._names:
            return
        variant = self.selection.place.variant
        came = variant in names and variant not in self._names
        self._names = names
        self.sidebar.know(names)
        if came and self._worked_on is not None:
            self._worked_on = Place()
            self.follow(self.selection.place)

    def arrive(self) -> None:
        """A visitor comes from outside, by an address: what it leaves open is filled in once more."""
        self._worked_on = None

    def sections_of(self, place: Place) -> tuple[CardSection, ...]:
        """Those of its lens, also while the cards are not looked at."""
        known = self._worked_on is not None and place.lens == self._worked_on.lens
        return self.cards.sections if known else sections_of(self._workspace, place.lens)

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
            self.cards.sections = sections_of(self._workspace, new.lens)
        if (new.variant, new.compared) != (old.variant, old.compared) and new.variant in self._names:
            self._errands.send(partial(_states, self._workspace, new), partial(self._explain, new))
        self.context_bar.follow(new)
        self.course.follow(new)
        spacing = "log" if new.controls_of("cursor").get("spacing") == "log" else "linear"
        between = new.controls_of("cursor").get("between", "")
        self.cursor.change(asked=new.step, spacing=spacing, between=between)
        if new.variant in self._names and new.views:
            self.cards.lay_out(new, self.cursor.steps)
        else:
            self.cards.say(self._notice(new))
        self.cursor.followed = new.step
        if (new.variant, new.compared, new.views, new.lens) != (old.variant, old.compared, old.views, old.lens):
            # Not at every move of the cursor: comparing the catalogue with itself took longer than all else together.
            self.sidebar.follow(new)

    def _take_up(self, variant: str) -> None:
        """What depends on the variant alone; its events and what it has views for come when they are known."""
        plugins = self._workspace.plugins
        family = plugins.families.get(variant.partition("/")[0])
        self.cursor.param.update(
            steps=self._workspace.store.steps(variant) if variant in self._names else [],
            step_label=family.step_label if family else "step",
        )
        self.course.take_up(variant if variant in self._names else "")

    def _read_states(self, done: Callable[[], None]) -> None:
        place = self.selection.place
        read = partial(tried, partial(_states, self._workspace, place))
        self._errands.send(read, partial(self._explain_renewed, place, done))

    def _explain_renewed(
        self, place: Place, done: Callable[[], None], states: dict[str, tuple[State, str]] | Failure
    ) -> None:
        if not isinstance(states, Failure):
            self._explain(place, states)
        done()

    def _explain(self, place: Place, states: dict[str, tuple[State, str]]) -> None:
        now = self.selection.place
        if (place.variant, place.compared) == (now.variant, now.compared):
            self.sidebar.explain(states)

    def look_again(self) -> None:
        """Take up what was trained and computed since the page was opened."""
        self.cards.forget()
        self._worked_on = None
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
            train = training_named(self._workspace, place.variant)
            title, texts = f"There is no variant {place.variant!r} here.", [train] if train else []
            words = ["Choose one on the left; or train it:" if train else "Choose one on the left."]
        else:
            title, words, texts = "No view is open.", ["Open one on the left."], []
        notice = {"state": "notice", "words": words, "commands": [command(self._workspace, text) for text in texts]}
        elsewhere = {} if self._names else _ELSEWHERE
        choices = [{"label": label, "control": "page", "value": page} for page, label in elsewhere.items()]
        picture = {**notice, "choices": choices}
        card = Card(
            title=title, closable=False, picture=picture, css_classes=["notice"], sizing_mode="stretch_width", margin=0
        )
        card.on_message = self._hear_notice
        return card

    def _hear_notice(self, message: dict[str, Any]) -> None:
        match message:
            case {"kind": "choose", "control": "page", "value": str(page)} if page in _ELSEWHERE:
                self.selection.move(page=page)


def _known(workspace: Workspace) -> list[str]:
    """Variants that can be shown."""
    return [variant.name for variant in workspace.variants()]


def _states(workspace: Workspace, place: Place) -> dict[str, tuple[State, str]]:
    asked = dict.fromkeys((place.variant, *place.compared))
    known = (look_up(workspace.store, workspace.plugins, name).variant for name in asked)
    value, *compared = (variant for variant in known if variant is not None)
    return {name: why_not(workspace, view, value, compared) for name, view in workspace.plugins.views.items()}
