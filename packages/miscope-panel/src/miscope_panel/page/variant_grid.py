"""The table of variants on the page: rows that can be selected, headers that order them, one page of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from html import escape
from typing import Any, ClassVar, final

import numpy as np
import pandas as pd
import panel as pn
import param

from miscope.tabulating.asked import Order
from miscope.tabulating.variant_table import Row
from miscope_panel.page.client import sheet
from miscope_panel.shown.column_room import Room, fits, rooms
from miscope_panel.shown.table_cells import CURVE, FIELD, NAME, frame_of, heading, places_of, sorters_of
from miscope_panel.shown.unfolding import LaidTable

__all__ = ["PAGE_ROWS", "TABLE_TAG", "VariantGrid"]

PAGE_ROWS = 50
"""Rows of one page of the table: what is not on it is not sent."""
TABLE_TAG = "variants"
"""By which the table is found in the browser."""
_IN_SIGHT = {NAME: "left", f"{FIELD}state": "right"}
"""Columns that stay where they are, however many others there are to go through, and on which side."""

Figures = Callable[[Mapping[int, Row]], Mapping[int, str]]


@final
class _InOrder(pn.widgets.Tabulator):
    """Rows stay as they are given: pandas would order what is written in the cells, and pull groups apart.

    Bokeh, through which Panel would make columns of a frame, does so by what pandas 3.1 warns of.
    """

    # Milliseconds. Panel lets 50 pass before it hears of another order, and forgets it where it sends rows meanwhile.
    _debounce: ClassVar[int] = 0

    def __init__(self, frame: pd.DataFrame, room: Mapping[str, Room], **look: Any) -> None:
        self.room = room
        super().__init__(frame, layout="fit_columns", **look)

    def _config_columns(self, column_objs: list[Any]) -> Any:
        specs: Any = super()._config_columns(column_objs)
        for spec in specs:
            if (room := self.room.get(spec.get("field", ""))) is not None:
                spec |= {"minWidth": room.least, "widthGrow": room.grows}
        return specs

    def _get_data(self) -> tuple[pd.DataFrame, dict[str, Any]]:
        begin = (self.page - 1) * PAGE_ROWS
        page = self.value.iloc[begin : begin + PAGE_ROWS]
        return self.value, {"index": [*page.index], **{name: [*page[name]] for name in page.columns}}


@final
class VariantGrid:
    """Shows rows, and says what was done with them."""

    def __init__(self) -> None:
        self.on_select: Callable[[tuple[str, ...]], None] = lambda names: None
        self.on_open: Callable[[str], None] = lambda name: None
        self.on_fold: Callable[[str], None] = lambda group: None
        """Called with the key of a group that is to be unfolded, or folded where it is not."""
        self.on_order: Callable[[tuple[Order, ...]], None] = lambda order: None
        self.on_page: Callable[[], None] = lambda: None
        self.selected: tuple[str, ...] = ()
        """Names of the variants in the selected rows, in the order of these."""
        self._laid = LaidTable()
        self._order: tuple[Order, ...] = ()
        self._settling = False
        self._curve = ""
        self.widget = self._made(frame_of(self._laid, ""), ())
        self.view = pn.Column(self.widget, sizing_mode="stretch_width", margin=0)

    def show(
        self,
        laid: LaidTable,
        order: Sequence[Order],
        curve: str = "",
        figures: Figures = lambda rows: {},
        page: int = 1,
    ) -> None:
        """Show these rows, from that page on; of what was selected stays what is among them.

        curve: the number whose course is drawn in them; '' for none. figures: of the page's rows, by their places;
        `draw` has those of others, later: a table in a browser fails where cells change while it takes new rows.
        """
        headed = self._titles
        self._laid, self._order = laid, tuple(order)
        page = min(page, max(1, -(-len(self._rows) // PAGE_ROWS)))
        self._settling = True
        try:
            frame = frame_of(laid, curve)
            for place, figure in figures(_rows_of(self._rows, page)).items() if curve else ():
                frame.loc[place, CURVE] = figure
            room = self._room(frame, curve)
            known = fits(room, self.widget.room) and curve == self._curve and self._titles == headed
            if not known or [*self.widget.value.columns] != [*frame.columns]:
                self._curve = curve
                # Anew: a table in a browser forgets its order, and may fail, where its columns change under it.
                self.widget = self._made(frame, order, page)
                self.view[:] = [self.widget]
            else:
                self.widget.param.update(value=frame, page=page, sorters=sorters_of(laid.shown, order))
        finally:
            self._settling = False
        self._mark(self.selected)

    def choose(self, names: Collection[str]) -> None:
        """Select the rows of these variants and no others, or once there are rows."""
        self.selected = tuple(names)
        if self._rows:
            self._mark(names)

    def renew(self, laid: LaidTable, curve: str) -> bool:
        """Write what these rows say by now into those that are there; False where they are others, and for `show`."""
        frame, there = frame_of(laid, curve), self.widget.value
        same = [row.variants for row in laid.shown.rows] == [row.variants for row in self._rows]
        if not same or [*frame.columns] != [*there.columns] or laid.groups != self._laid.groups:
            return False
        self._laid = laid
        here = self.on_this_page()
        for name in (each for each in frame.columns if each != CURVE):
            now = frame[name].to_numpy()
            others = [*map(int, np.flatnonzero(now != there[name].to_numpy()))]
            if changed := [(place, now[place]) for place in others if place in here]:
                self.widget.patch({name: changed})
            if others:
                # Those of other pages go to the browser when they are turned to.
                there[name] = now
        return True

    def open(self, place: int) -> None:
        """Open the variant of the row at that place of the page that is looked at; fold a group, or unfold it."""
        self._open((self.widget.page - 1) * PAGE_ROWS + place)

    def fold(self, place: int, *, unfolded: bool) -> None:
        """Have the group at that place of the page be so; nothing happens where it is, or where there is none."""
        group = self._laid.groups.get((self.widget.page - 1) * PAGE_ROWS + place)
        if group is not None and group.unfolded != unfolded:
            self.on_fold(group.key)

    def on_this_page(self) -> dict[int, Row]:
        """The rows that are looked at, by their places among all."""
        return _rows_of(self._rows, self.widget.page)

    def draw(self, figures: Mapping[int, str]) -> None:
        """Put small figures into rows, SVG by the rows' places."""
        if not self._curve:
            return
        there = self.widget.value[CURVE]
        if changed := [(place, figure) for place, figure in figures.items() if there[place] != figure]:
            self.widget.patch({CURVE: changed})

    @property
    def _rows(self) -> Sequence[Row]:
        return self._laid.shown.rows

    @property
    def _titles(self) -> dict[str, str]:
        """HTML to the browser, which cells are not."""
        return {FIELD + c.name: escape(heading(c, self._laid.at)) for c in self._laid.shown.columns}

    def _room(self, frame: pd.DataFrame, curve: str) -> dict[str, Room]:
        return rooms(frame, {**self._titles, CURVE: f"{curve} over training"})

    def _made(self, frame: pd.DataFrame, order: Sequence[Order], page: int = 1) -> _InOrder:
        shown = self._laid.shown
        right = {FIELD + column.name: "right" for column in shown.columns if column.numeric}
        widget = _InOrder(
            frame,
            self._room(frame, self._curve),
            sorters=sorters_of(shown, order),
            titles={**self._titles, CURVE: f"{escape(self._curve)} over training"},
            formatters={NAME: {"type": "html"}, CURVE: {"type": "html"}},
            text_align=right,
            header_align=right,
            frozen_columns={name: side for name, side in _IN_SIGHT.items() if name in frame.columns},
            pagination="remote",
            page=page,
            page_size=PAGE_ROWS,
            selectable="checkbox",
            show_index=False,
            disabled=True,
            sortable={CURVE: False} if self._curve else True,
            sizing_mode="stretch_width",
            margin=0,
            # A page of rows has no height of its own to leave any out for, and what leaves some out draws all thrice.
            configuration={"renderVertical": "basic", "autoResize": False},
            tags=[TABLE_TAG],
            stylesheets=[sheet("grid")],
        )
        widget.param.watch(self._pick, "selection")
        widget.param.watch(self._turn, "sorters")
        widget.param.watch(lambda event: self._settling or self.on_page(), "page")
        widget.on_click(lambda event: self._open(event.row), NAME)
        return widget

    def _pick(self, event: param.parameterized.Event) -> None:
        """A group's box is of all its variants; it is off as soon as one of theirs is."""
        if self._settling:
            return
        before, now = set(event.old), set(event.new)
        names = {name for place in now for name in self._names(place)}
        self._mark(names.difference(name for place in before - now for name in self._names(place)))

    def _mark(self, names: Collection[str]) -> None:
        """Have the rows of these variants be selected, and no others."""
        self._settling = True
        try:
            self.widget.selection = places_of(self._rows, names)
        finally:
            self._settling = False
        found = (name for place in self.widget.selection for name in self._names(place))
        self.selected = tuple(dict.fromkeys(found))
        self.on_select(self.selected)

    def _names(self, place: int) -> tuple[str, ...]:
        return self._rows[place].variants if 0 <= place < len(self._rows) else ()

    def _turn(self, event: param.parameterized.Event) -> None:
        order = tuple(
            Order(column=each["field"].removeprefix(FIELD), descending=each["dir"] == "desc") for each in event.new
        )
        if not self._settling and order != self._order:
            self._order = order
            self.on_order(order)

    def _open(self, place: int) -> None:
        if group := self._laid.groups.get(place):
            self.on_fold(group.key)
        elif names := self._names(place):
            self.on_open(names[0])


def _rows_of(rows: Sequence[Row], page: int) -> dict[int, Row]:
    begin = (page - 1) * PAGE_ROWS
    return dict(enumerate(rows[begin : begin + PAGE_ROWS], begin))
