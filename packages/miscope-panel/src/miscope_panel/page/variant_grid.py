"""The table of variants on the page: rows that can be selected, headers that order them, one page of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from html import escape
from typing import Any, final

import numpy as np
import pandas as pd
import panel as pn
import param

from miscope.tabulating.asked import Order
from miscope.tabulating.cell_text import written
from miscope.tabulating.grouping import MEMBERS
from miscope.tabulating.showing import ShownTable
from miscope.tabulating.variant_table import Row
from miscope_panel.page.client import sheet

__all__ = ["PAGE_ROWS", "VariantGrid"]

PAGE_ROWS = 50
"""Rows of one page of the table: what is not on it is not sent."""
_LONGEST = 80
"""Letters of a cell: a column is as wide as its widest."""
_CURVE = "curve"
"""The column of small figures."""
_CURVE_WIDTH = 190
"""In pixels: what its heading takes, and enough to tell one course from another."""
_FIELD = "c:"
"""Before a column's name, which may be what Panel ('index') or JavaScript ('constructor') has names for."""


_NAME, _COUNT = f"{_FIELD}variant", f"{_FIELD}{MEMBERS}"
"""The column that names a row; and the one after what names a group."""


Figures = Callable[[Mapping[int, Row]], Mapping[int, str]]


@final
class _InOrder(pn.widgets.Tabulator):
    """Rows stay as they are given: pandas would order what is written in the cells, and pull groups apart.

    Bokeh, through which Panel would make columns of a frame, does so by what pandas 3.1 warns of.
    """

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
        self.on_order: Callable[[tuple[Order, ...]], None] = lambda order: None
        self.on_page: Callable[[], None] = lambda: None
        self.selected: tuple[str, ...] = ()
        """Names of the variants in the selected rows, in the order of these."""
        self._rows: Sequence[Row] = ()
        self._order: tuple[Order, ...] = ()
        self._settling = False
        self._curve = ""
        self.widget = self._made(_frame(ShownTable(), ""), ShownTable(), ())
        self.view = pn.Column(self.widget, sizing_mode="stretch_width", margin=0)

    def show(
        self,
        shown: ShownTable,
        order: Sequence[Order],
        curve: str = "",
        figures: Figures = lambda rows: {},
        page: int = 1,
    ) -> None:
        """Show these rows, from that page on; of what was selected stays what is among them.

        curve: the number whose course is drawn in them; '' for none. figures: of the page's rows, by their places;
        `draw` has those of others, later: a table in a browser fails where cells change while it takes new rows.
        """
        self._rows, self._order = shown.rows, tuple(order)
        page = min(page, max(1, -(-len(shown.rows) // PAGE_ROWS)))
        self._settling = True
        try:
            frame = _frame(shown, curve)
            for place, figure in figures(_rows_of(shown.rows, page)).items() if curve else ():
                frame.loc[place, _CURVE] = figure
            if [*self.widget.value.columns] != [*frame.columns] or curve != self._curve:
                self._curve = curve
                # Anew: a table in a browser forgets its order, and may fail, where its columns change under it.
                self.widget = self._made(frame, shown, order)
                self.view[:] = [self.widget]
            else:
                self.widget.param.update(value=frame, page=page, sorters=_sorters(shown, order))
            self.widget.selection = _places(shown.rows, self.selected)
        finally:
            self._settling = False
        self._pick()

    def choose(self, names: Sequence[str]) -> None:
        """Select the rows of these variants, or once there are rows."""
        self.selected = tuple(names)
        if self._rows:
            self.widget.selection = _places(self._rows, names)

    def renew(self, shown: ShownTable, curve: str) -> bool:
        """Write what these rows say by now into those that are there; False where they are others, and for `show`."""
        frame, there = _frame(shown, curve), self.widget.value
        same = [row.variants for row in shown.rows] == [row.variants for row in self._rows]
        if not same or [*frame.columns] != [*there.columns]:
            return False
        self._rows = shown.rows
        here = self.on_this_page()
        for name in (each for each in frame.columns if each != _CURVE):
            now = frame[name].to_numpy()
            others = [*map(int, np.flatnonzero(now != there[name].to_numpy()))]
            if changed := [(place, now[place]) for place in others if place in here]:
                self.widget.patch({name: changed})
            if others:
                # Those of other pages go to the browser when they are turned to.
                there[name] = now
        return True

    def select(self, places: Sequence[int]) -> None:
        """Select the rows at these places among all, and no others."""
        self.widget.selection = [*places]

    def open(self, place: int) -> None:
        """Open the variant of the row at that place of the page that is looked at; a row of several is not opened."""
        row = self.on_this_page().get((self.widget.page - 1) * PAGE_ROWS + place)
        if row is not None and len(row.variants) == 1:
            self.on_open(row.variants[0])

    def on_this_page(self) -> dict[int, Row]:
        """The rows that are looked at, by their places among all."""
        return _rows_of(self._rows, self.widget.page)

    def draw(self, figures: Mapping[int, str]) -> None:
        """Put small figures into rows, SVG by the rows' places."""
        if not self._curve:
            return
        there = self.widget.value[_CURVE]
        if changed := [(place, figure) for place, figure in figures.items() if there[place] != figure]:
            self.widget.patch({_CURVE: changed})

    def _made(self, frame: pd.DataFrame, shown: ShownTable, order: Sequence[Order]) -> _InOrder:
        right = {_FIELD + column.name: "right" for column in shown.columns if column.numeric}
        widget = _InOrder(
            frame,
            sorters=_sorters(shown, order),
            # HTML to the browser, which cells are not.
            titles={
                **{_FIELD + column.name: escape(column.name) for column in shown.columns},
                _CURVE: f"{escape(self._curve)} over training",
            },
            formatters={_NAME: {"type": "html"}, _CURVE: {"type": "html"}},
            text_align=right,
            header_align=right,
            pagination="remote",
            page_size=PAGE_ROWS,
            selectable="checkbox",
            show_index=False,
            disabled=True,
            layout="fit_data_fill",
            widths={_CURVE: _CURVE_WIDTH} if self._curve else {},
            sortable={_CURVE: False} if self._curve else True,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[sheet("grid")],
        )
        widget.param.watch(self._pick, "selection")
        widget.param.watch(self._turn, "sorters")
        widget.param.watch(lambda event: self._settling or self.on_page(), "page")
        widget.on_click(self._click, _NAME)
        return widget

    def _pick(self, *events: param.parameterized.Event) -> None:
        if self._settling:
            return
        rows = (self._rows[place] for place in sorted(self.widget.selection))
        self.selected = tuple(dict.fromkeys(name for row in rows for name in row.variants))
        self.on_select(self.selected)

    def _turn(self, event: param.parameterized.Event) -> None:
        order = tuple(
            Order(column=each["field"].removeprefix(_FIELD), descending=each["dir"] == "desc") for each in event.new
        )
        if not self._settling and order != self._order:
            self._order = order
            self.on_order(order)

    def _click(self, event: Any) -> None:
        (name, *others) = self._rows[event.row].variants
        if not others:
            self.on_open(name)


def _rows_of(rows: Sequence[Row], page: int) -> dict[int, Row]:
    begin = (page - 1) * PAGE_ROWS
    return dict(enumerate(rows[begin : begin + PAGE_ROWS], begin))


def _frame(shown: ShownTable, curve: str) -> pd.DataFrame:
    """What is written in the cells; names as HTML, whole where the pointer rests on one."""
    cells = {_FIELD + c.name: [_line(written(row.cells.get(c.name))) for row in shown.rows] for c in shown.columns}
    if _NAME in cells:
        names = (escape(written(row.cells.get("variant"))) for row in shown.rows)
        cells[_NAME] = [f'<span class="name" title="{name}">{name}</span>' for name in names]
    if curve:
        cells = _beside_name(cells, [""] * len(shown.rows))
    return pd.DataFrame(cells, dtype=object)


def _beside_name(cells: Mapping[str, list[str]], figures: list[str]) -> dict[str, list[str]]:
    """The small figures after what names a row, or after what is first: in sight, however many columns follow."""
    columns = [*cells.items()]
    names = [place for place, (name, _) in enumerate(columns) if name in (_NAME, _COUNT)]
    before = names[0] + 1 if names else 1
    return dict([*columns[:before], (_CURVE, figures), *columns[before:]])


def _line(text: str) -> str:
    """What of a text has room in a cell."""
    first = text.partition("\n")[0][:_LONGEST]
    return text if first == text else f"{first} …"


def _sorters(shown: ShownTable, order: Sequence[Order]) -> list[dict[str, str]]:
    """As Tabulator has them, of the columns that are there to mark."""
    there = {column.name for column in shown.columns}
    return [
        {"field": _FIELD + one.column, "dir": "desc" if one.descending else "asc"}
        for one in order
        if one.column in there
    ]


def _places(rows: Sequence[Row], names: Collection[str]) -> list[int]:
    """Of the rows whose variants all have these names."""
    return [place for place, row in enumerate(rows) if set(row.variants) <= set(names)]
