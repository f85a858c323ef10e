"""The table of variants on the page: rows that can be selected, headers that order them, one page of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from html import escape
from typing import Any, final

import pandas as pd
import panel as pn
import param

from miscope.tabulating.asked import Order
from miscope.tabulating.cell_text import written
from miscope.tabulating.showing import ShownTable
from miscope.tabulating.variant_table import Row
from miscope_panel.page.client import sheet

__all__ = ["VariantGrid"]

_ROWS = 50
"""Rows of one page of the table: what is not on it is not sent."""
_LONGEST = 80
"""Letters of a cell: a column is as wide as its widest."""
_WIDEST = 420
"""Pixels of a column, whose cells are whole where the pointer rests on them."""
_FIELD = "c:"
"""Before a column's name, which may be what Panel ('index') or JavaScript ('constructor') has names for."""


@final
class _InOrder(pn.widgets.Tabulator):
    """Rows stay as they are given: pandas would order what is written in the cells, and pull groups apart.

    Bokeh, through which Panel would make columns of a frame, does so by what pandas 3.1 warns of.
    """

    def _get_data(self) -> tuple[pd.DataFrame, dict[str, Any]]:
        begin = (self.page - 1) * _ROWS
        page = self.value.iloc[begin : begin + _ROWS]
        return self.value, {"index": [*page.index], **{name: [*page[name]] for name in page.columns}}


@final
class VariantGrid:
    """Shows rows, and says what was done with them."""

    def __init__(self) -> None:
        self.on_select: Callable[[tuple[str, ...]], None] = lambda names: None
        self.on_open: Callable[[str], None] = lambda name: None
        self.on_order: Callable[[tuple[Order, ...]], None] = lambda order: None
        self.selected: tuple[str, ...] = ()
        """Names of the variants in the selected rows, in the order of these."""
        self._rows: Sequence[Row] = ()
        self._order: tuple[Order, ...] = ()
        self._settling = False
        self.widget = self._made(ShownTable(), ())
        self.view = pn.Column(self.widget, sizing_mode="stretch_width", margin=0)

    def show(self, shown: ShownTable, order: Sequence[Order]) -> None:
        """Show these rows, from the first on; of what was selected stays what is among them."""
        self._rows, self._order = shown.rows, tuple(order)
        self._settling = True
        try:
            if [*self.widget.value.columns] != [_FIELD + column.name for column in shown.columns]:
                # Anew: a table in a browser forgets its order, and may fail, where its columns change under it.
                self.widget = self._made(shown, order)
                self.view[:] = [self.widget]
            else:
                self.widget.param.update(value=_frame(shown), page=1, sorters=_sorters(shown, order))
            self.widget.selection = _places(shown.rows, self.selected)
        finally:
            self._settling = False
        self._pick()

    def _made(self, shown: ShownTable, order: Sequence[Order]) -> _InOrder:
        right = {_FIELD + column.name: "right" for column in shown.columns if column.numeric}
        widget = _InOrder(
            _frame(shown),
            sorters=_sorters(shown, order),
            # HTML to the browser, which cells are not.
            titles={_FIELD + column.name: escape(column.name) for column in shown.columns},
            text_align=right,
            header_align=right,
            pagination="remote",
            page_size=_ROWS,
            selectable="checkbox",
            show_index=False,
            disabled=True,
            layout="fit_data_fill",
            configuration={"columnDefaults": {"maxWidth": _WIDEST, "tooltip": True}},
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[sheet("grid")],
        )
        widget.param.watch(self._pick, "selection")
        widget.param.watch(self._turn, "sorters")
        widget.on_click(self._click, f"{_FIELD}variant")
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


def _frame(shown: ShownTable) -> pd.DataFrame:
    """What is written in the cells."""
    cells = {_FIELD + c.name: [_line(written(row.cells.get(c.name))) for row in shown.rows] for c in shown.columns}
    return pd.DataFrame(cells, dtype=object)


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
