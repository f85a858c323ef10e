"""What is written in the cells of the table on the page, and over its columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from html import escape

import pandas as pd

from miscope.tabulating.asked import Order
from miscope.tabulating.cell_text import written
from miscope.tabulating.grouping import MEMBERS
from miscope.tabulating.measure import Measure
from miscope.tabulating.showing import ShownTable
from miscope.tabulating.variant_table import Cell, Column, Row
from miscope_panel.shown.unfolding import Group, LaidTable

__all__ = ["COUNT", "CURVE", "FIELD", "NAME", "frame_of", "heading", "places_of", "sorters_of"]

FIELD = "c:"
"""Before a column's name, which may be what Panel ('index') or JavaScript ('constructor') has names for."""
CURVE = "curve"
"""The column of small figures."""
NAME, COUNT = f"{FIELD}variant", f"{FIELD}{MEMBERS}"
"""The column that names a row; and the one after what names a group."""
_LONG_NUMBER = re.compile(r"(?<![\w.])\d{4,}(?!\w)")
_LONGEST = 80
"""Letters of a cell: a column is as wide as its widest."""


def frame_of(laid: LaidTable, curve: str) -> pd.DataFrame:
    """What is written in the cells; names as HTML, whole where the pointer rests on one.

    curve: the number whose course is drawn, to which there is a column; '' for none.
    """
    rows = laid.shown.rows
    cells = {FIELD + c.name: [_written(c, row.cells.get(c.name)) for row in rows] for c in laid.shown.columns}
    if NAME in cells:
        cells[NAME] = [_named(laid, place) for place in range(len(rows))]
    if curve:
        cells = _beside_name(cells, [""] * len(rows))
    return pd.DataFrame(cells, dtype=object)


def heading(column: Column, at: int | None) -> str:
    """What stands over a column: its name, and in words the step that its numbers are of.

    at: that step; None for the last.
    """
    measure = Measure.read(column.name)
    if column.part != "measure" or measure.which != "at":
        return column.name
    return f"{measure.name} at {'the last step' if at is None else f'step {at:,}'}"


def sorters_of(shown: ShownTable, order: Sequence[Order]) -> list[dict[str, str]]:
    """As Tabulator has them, of the columns that are there to mark."""
    there = {column.name for column in shown.columns}
    return [
        {"field": FIELD + one.column, "dir": "desc" if one.descending else "asc"}
        for one in order
        if one.column in there
    ]


def places_of(rows: Sequence[Row], names: Collection[str]) -> list[int]:
    """Of the rows whose variants all have these names."""
    chosen = set(names)
    return [place for place, row in enumerate(rows) if chosen.issuperset(row.variants)]


def _named(laid: LaidTable, place: int) -> str:
    short, whole = map(escape, laid.titled(place))
    group = laid.groups.get(place)
    fold = "" if group is None else _fold(group, whole)
    kind = "name group" if group else "name member" if laid.groups else "name"
    return f'<span class="{kind}" title="{whole}">{fold}{short}</span>'


def _fold(group: Group, named: str) -> str:
    """A button, to whoever hears the table; Tab goes from row to row, and keys on a row fold its group."""
    sign, unfolded = ("▾", "true") if group.unfolded else ("▸", "false")
    more = f'tabindex="-1" aria-expanded="{unfolded}" aria-label="{named}"'
    return f'<button type="button" class="fold" {more}>{sign}</button> '


def _beside_name(cells: Mapping[str, list[str]], figures: list[str]) -> dict[str, list[str]]:
    """The small figures after what names a row, or after what is first: in sight, however many columns follow."""
    columns = [*cells.items()]
    names = [place for place, (name, _) in enumerate(columns) if name in (NAME, COUNT)]
    before = names[-1] + 1 if names else 1
    return dict([*columns[:before], (CURVE, figures), *columns[before:]])


def _written(column: Column, cell: Cell) -> str:
    """With commas as figures have them, but for what one types to train the same again."""
    text = _line(written(cell))
    counted = column.numeric and column.part not in ("parameter", "training")
    return _LONG_NUMBER.sub(lambda found: f"{int(found[0]):,}", text) if counted else text


def _line(text: str) -> str:
    """What of a text has room in a cell."""
    first = text.partition("\n")[0][:_LONGEST]
    return text if first == text else f"{first} …"
