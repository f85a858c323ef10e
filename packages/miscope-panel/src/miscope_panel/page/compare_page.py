"""The page of comparisons: any view of several variants, over each other, side by side, or one less the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any, final

import panel as pn

from miscope.analyzer import Grain
from miscope.failure import Failure, tried
from miscope.figures.comparing.clock import Clock
from miscope.store.annotation import PinnedStep
from miscope.workspace import Workspace
from miscope_panel.page.board_part import put_on
from miscope_panel.page.client import sheet
from miscope_panel.page.compare_bar import CompareBar
from miscope_panel.page.compared_files import ComparedFiles
from miscope_panel.page.compared_group import ComparedGroup
from miscope_panel.page.computing import Computing
from miscope_panel.page.cursor import Cursor
from miscope_panel.page.cursor_axes import CursorAxes
from miscope_panel.page.listening import Listening
from miscope_panel.page.live_variants import LiveVariants
from miscope_panel.page.paced import Paced
from miscope_panel.page.page_record import PageContext
from miscope_panel.page.run_watch import Heard
from miscope_panel.shown.card_looks import LOOKS, between_shown, looks_among
from miscope_panel.shown.comparing.bar_shown import bar_shown, courses_shown, notes_of, too_many, unread
from miscope_panel.shown.comparing.compared import Compared, compared, pins_of
from miscope_panel.shown.comparing.compared_request import ComparedRequest
from miscope_panel.shown.comparing.comparison import (
    MOST,
    NAME,
    Comparison,
    names_compared,
    read_comparison,
    with_names,
)
from miscope_panel.shown.files_changed import FilesChanged
from miscope_panel.shown.selected import selected_of, selecting, turning
from miscope_panel.shown.selection import Place, settled
from miscope_panel.shown.shared_controls import controls_at, left_to_bar, shared_by

__all__ = ["ComparePage"]

_SCREENFUL = 6
"""Pictures drawn before the browser has said which cards can be seen."""


@final
class ComparePage:
    """Follows the place while it is looked at, and moves it."""

    def __init__(self, context: PageContext) -> None:
        self._workspace, self._errands, self._selection = context.server.workspace, context.errands, context.selection
        self._computing = Computing(context)
        self._listening = Listening(context, self.hear_of)
        self.bar = CompareBar(sizing_mode="stretch_width", margin=0)
        self.bar.on_message = self._hear
        looks = [sheet("board")]
        # Bokeh warns of a column without anything in it.
        self._nothing = pn.Spacer(height=0)
        self.board = pn.Column(self._nothing, sizing_mode="stretch_width", margin=0, stylesheets=looks)
        self.cursor = Cursor(active=False, sizing_mode="stretch_width", margin=0)
        self._axes = CursorAxes(self._selection, self.cursor)
        self._files = ComparedFiles(context, lambda: [group.asked for group in self._groups.values() if group.asked])
        self.view = pn.Column(
            self.bar,
            self._files.view,
            self.board,
            self.cursor,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[sheet("workbench")],
        )
        self._names: tuple[str, ...] | None = None
        self._compared: Compared | None = None
        self._compared_of: tuple[str, ...] = ()
        self._groups: dict[str, ComparedGroup] = {}
        self.live = LiveVariants(context)
        self.live.on_files, self.live.on_ended = self._take, partial(self._take, FilesChanged())
        # The table of all variants is read for what is said of these.
        self._renewals = Paced(self._read_on, share=0.1)

    def follow(self, place: Place) -> None:
        """Show the place; what is known of its variants is read on a thread, when they are others."""
        self.cursor.active = place.page == NAME
        self._computing.look(looked_at=place.page == NAME)
        self._listening.look(looked_at=place.page == NAME)
        if place.page != NAME:
            self._names = None
            self.live.look(None)
            return
        names = names_compared(place)[:MOST]
        self.live.look(names)
        if names != self._names:
            self._names = names
            read = partial(tried, partial(_known, self._workspace, names, place.colours))
            self._errands.send(read, partial(self._learn, names))
        if self._compared is not None and names == self._compared_of:
            self._lay_out(place)

    def look_again(self) -> None:
        """Take up what was trained and computed since."""
        for group in self._groups.values():
            group.forget()
        self._names = None
        self.follow(self._selection.place)

    def _take(self, files: FilesChanged) -> None:
        """Something came or went, or a run ended."""
        self._renewals.want(urgent=bool(files.rested) or not files)
        for name, group in self._groups.items():
            if files.concern(self._workspace.plugins.views[name], whole=all(card.is_whole for card in group.cards)):
                group.renew(urgent=bool(files.rested))

    def _read_on(self) -> None:
        names, colours = self._names or (), self._selection.place.colours
        read = partial(tried, partial(compared, self._workspace, names, colours))
        self._errands.send(read, partial(self._relearn, names))

    def _relearn(self, names: tuple[str, ...], known: Compared | Failure) -> None:
        place, there = self._selection.place, names == self._names == self._compared_of
        if there and not isinstance(known, Failure) and known != self._compared:
            self._compared = known
            self._lay_out(place)
        self._renewals.done()

    def _learn(self, names: tuple[str, ...], known: tuple[Compared, tuple[str, ...]] | Failure) -> None:
        place = self._selection.place
        if names != self._names or place.page != NAME:
            return
        if isinstance(known, Failure):
            self._compared, self._groups = None, {}
            self.board[:] = [self._nothing]
            self.bar.param.update(chips=[], fields=[], notes=unread(known.error))
            return
        (self._compared, every), self._compared_of = known, names
        self.bar.others = [name for name in every if name not in names]
        self._lay_out(place)

    def hear_of(self, heard: Heard) -> None:
        """Of whom somebody wrote pins, maybe."""
        names = heard.noted.intersection(self._compared_of)
        if names and self._listening.begun:
            self._errands.send(partial(_pins, self._workspace, names), self._pin)

    def _pin(self, pins: Mapping[str, tuple[PinnedStep, ...]]) -> None:
        place = self._selection.place
        if self._compared is not None and place.page == NAME and self._names == self._compared_of:
            self._compared = self._compared.pinned(pins)
            self._lay_out(place)

    def _lay_out(self, place: Place) -> None:
        known, installed = self._compared or Compared(differing={}), self._workspace.plugins.views
        asked = read_comparison(place, installed)
        self.bar.param.update(**bar_shown(known, asked, installed))
        leading = known.leading(asked.align, asked.hidden)
        self.cursor.css_classes = [] if leading is not None and leading.steps else ["away"]
        spacing = "log" if place.controls_of("cursor").get("spacing") == "log" else "linear"
        if leading is not None:
            self.cursor.param.update(
                steps=list(leading.steps),
                step_label=leading.step_label,
                events=dict(leading.events),
                axis_clock=asdict(leading.clock(asked.align) or Clock()),
            )
        between = place.controls_of("cursor").get("between", "")
        self.cursor.param.update(asked=place.step, spacing=spacing, between=between)
        shown = tuple(member for member in known.members if member.name not in asked.hidden)
        self._axes.follow(place)
        self.cursor.courses = courses_shown(shown, asked.align)
        enough = len(known.members) > 1 and shown
        seen = {name: at * len(shown) < _SCREENFUL for at, name in enumerate(asked.views)}
        self._groups = {name: self._group(name, in_sight=seen[name]) for name in asked.views} if enough else {}
        for name, group in self._groups.items():
            at_a_step = installed[name].grain is Grain.CHECKPOINT
            step = settled(leading.steps, place.step) if at_a_step and leading is not None else None
            group.look(looks_among(place.controls_of(name)), shared_by(installed[name], place, name))
            group.ask(
                ComparedRequest(
                    view=name,
                    members=shown,
                    mode=asked.mode,
                    align=asked.align,
                    means=known.averaged(asked.hidden) if asked.mean else {},
                    own_scales=asked.own_scales,
                    step=step,
                    between=between_shown(installed[name], between),
                    controls={**selected_of(place, name, installed[name]), **controls_at(installed[name], place, name)},
                )
            )
        self._set(asked)
        self.cursor.followed = place.step

    def _group(self, view: str, *, in_sight: bool) -> ComparedGroup:
        if view in self._groups:
            return self._groups[view]
        group = ComparedGroup(
            self._workspace, self._errands, self._workspace.plugins.views[view], self._computing, in_sight=in_sight
        )
        group.on_laid_out, group.on_message, group.on_file = self._again, self._hear_of_card, self._files.file
        return group

    def _again(self) -> None:
        place = self._selection.place
        if self._compared is not None and place.page == NAME:
            self._set(read_comparison(place, self._workspace.plugins.views))

    def _set(self, asked: Comparison) -> None:
        """The cards on the board: pictures of all together first, then those under the heading of their view."""
        groups = [*self._groups.values()]
        self._computing.keep(card for group in groups for card in group.cards)
        alone = [card for group in groups if not group.headed for card in group.cards]
        headed = [each for group in groups if group.headed for each in (group.heading, *group.cards)]
        board = [*alone, *headed] if asked.mode == "overlay" else [*headed, *alone]
        put_on(self.board, board or [self._nothing])
        shown = {name: group.shown for name, group in self._groups.items()}
        notes = notes_of(self._compared, asked, shown, self._workspace.plugins.views)
        many = too_many(names_compared(self._selection.place))
        self.bar.notes = [*many, *notes]

    def _turn(self, control: str, value: str) -> None:
        defaults = {"mode": "overlay", "align": "step"}
        kept = None if value == defaults.get(control, "") else value
        place = self._selection.place.turn(NAME, control, kept or None)
        for view in self._views(place):
            # The axes are others then.
            place = place.turn(view, "zoomed-to", None)
        self._selection.place = place

    def _hear(self, message: dict[str, Any]) -> None:
        place = self._selection.place
        names = names_compared(place)
        match message:
            case {"kind": "turn", "control": ("mode" | "align" | "mean" | "scales") as control, "value": str(value)}:
                self._turn(control, value)
            case {"kind": "add", "what": "variant", "name": str(name)} if len(names) < MOST:
                self._selection.place = with_names(place, tuple(dict.fromkeys((*names, name))))
            case {"kind": "add", "what": "view", "name": str(name)}:
                self._open((*self._views(place), name))
            case {"kind": "choose"}:
                self._hear_of_card("", message)
            case {"kind": "again"}:
                self.look_again()
            case {"kind": "lead", "name": str(name)} if name in names:
                self._selection.place = with_names(place, (name, *(each for each in names if each != name)))
            case {"kind": "remove", "name": str(name)}:
                self._selection.place = with_names(place, tuple(each for each in names if each != name))
            case {"kind": "show", "name": str(name)}:
                self._hide(tuple(each for each in self._hidden(place) if each != name))

    def _hear_of_card(self, view: str, message: dict[str, Any]) -> None:
        place, installed = self._selection.place, self._workspace.plugins.views
        match message:
            case {"kind": "close"}:
                self._open(tuple(name for name in self._views(place) if name != view))
            case {"kind": "turn", "control": str(control), "value": str(value)}:
                turned = turning(place, (view, control, value), installed)
                self._selection.place = left_to_bar(turned, installed[view], view)
            case {"kind": "select", "values": dict(values)}:
                self._selection.place = selecting(place, values, installed)
            case {"kind": "look", "look": str(look), "value": str(value)} if look in LOOKS:
                self._selection.place = place.turn(view, look, value or None)
            case {"kind": "catalogue"}:
                self._selection.place = replace(place, page="catalogue").turn("catalogue", "show", f"view:{view}")
            case {"kind": "choose", "control": "align", "value": str(value)}:
                self._turn("align", value)
            case {"kind": "choose", "control": "hide", "value": str(name)}:
                self._hide((*self._hidden(place), name))

    def _views(self, place: Place) -> tuple[str, ...]:
        return read_comparison(place, self._workspace.plugins.views).views

    def _hidden(self, place: Place) -> tuple[str, ...]:
        return read_comparison(place, self._workspace.plugins.views).hidden

    def _open(self, views: Sequence[str]) -> None:
        # An empty list, too, is said: without it the page would fall back to the first views.
        self._selection.place = self._selection.place.turn(NAME, "views", ",".join(dict.fromkeys(views)))

    def _hide(self, names: Sequence[str]) -> None:
        self._selection.place = self._selection.place.turn(NAME, "hide", ",".join(dict.fromkeys(names)) or None)


def _known(workspace: Any, names: tuple[str, ...], colours: Mapping[str, str]) -> tuple[Compared, tuple[str, ...]]:
    return compared(workspace, names, colours), tuple(variant.name for variant in workspace.variants())


def _pins(workspace: Workspace, names: Iterable[str]) -> dict[str, tuple[PinnedStep, ...]]:
    return {name: pins_of(workspace, name) for name in names}
