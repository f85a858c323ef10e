"""What is looked for, found in the browser among rows that it knows, while the server is still asked."""

from __future__ import annotations

from functools import partial
from typing import final

import param

from miscope.tabulating.asked import TableAsked
from miscope.tabulating.variant_table import Column, VariantTable
from miscope_panel.page.client import source
from miscope_panel.page.errands import Errands
from miscope_panel.page.page_component import PageComponent
from miscope_panel.page.variant_grid import PAGE_ROWS, TABLE_TAG
from miscope_panel.shown.known_rows import MOST_KNOWN, known_rows
from miscope_panel.shown.table_cells import CURVE, NAME
from miscope_panel.shown.variants_table import TableAnswer

__all__ = ["FoundInBrowser", "RowsAhead"]


@final
class FoundInBrowser(PageComponent):
    """Shows what is found as soon as words are entered; what the server then shows stands."""

    table = param.String(default=TABLE_TAG, doc="The tag of the table whose rows these are.")
    named = param.String(default=NAME, doc="The column that names a row.")
    curve = param.String(default=CURVE, doc="The column of small figures.")
    page_rows = param.Integer(default=PAGE_ROWS, doc="Rows of one page of it.")
    known = param.String(default="", doc="All rows, as `known_rows` has them.")
    ready = param.Boolean(default=False, doc="Whether these are the rows of the table as it is now.")
    text = param.String(default="", doc="The words of what is shown.")
    where = param.String(default="", doc="And its condition.")
    settled = param.Integer(default=0, doc="Another for each answer that is shown.")

    _esm = source("rows_ahead", "found_rows")


@final
class RowsAhead:
    """Keeps the browser's rows as the table has them."""

    def __init__(self, errands: Errands) -> None:
        self._errands = errands
        self._table = VariantTable()
        self._columns: tuple[Column, ...] = ()
        self._asked = TableAsked()
        self.view = FoundInBrowser(width=0, height=0, margin=0)

    def settle(self, asked: TableAsked, found: TableAnswer) -> None:
        """This is shown now; of a table of other rows, in another order or under other columns, tell its rows."""
        same = found.table is self._table and found.shown.columns == self._columns and asked.order == self._asked.order
        ready = same and bool(self.view.known)
        self.view.change(text=asked.text, where=asked.where, ready=ready, settled=self.view.settled + 1)
        if not same:
            self.view.change(known="")
            self._table, self._columns, self._asked = found.table, found.shown.columns, asked
            if found.whole and not found.shown.in_groups and len(found.table.rows) <= MOST_KNOWN:
                self._errands.send(partial(known_rows, found, asked), partial(self._take, found.table, asked))

    def forget(self) -> None:
        """Rows have gone on: what is known of them is not what they are, until another answer is shown."""
        self._table = VariantTable()
        self.view.change(ready=False)

    def _take(self, table: VariantTable, asked: TableAsked, known: str) -> None:
        if table is self._table and asked is self._asked:
            self.view.change(known=known, ready=True)
