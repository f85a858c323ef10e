"""All rows of the table for the browser, so that it finds among them what somebody looks for before the server says."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, final

from miscope.tabulating.asked import TableAsked
from miscope.tabulating.cell_text import written
from miscope.tabulating.ordering import ordered
from miscope.tabulating.variant_table import Cell, Column, Row, is_nothing, is_number
from miscope_panel.shown.table_cells import frame_of
from miscope_panel.shown.unfolding import LaidTable
from miscope_panel.shown.variants_table import TableAnswer

__all__ = ["MOST_KNOWN", "known_rows"]

MOST_KNOWN = 5_000
"""Rows of a table that a browser is told whole: a few hundred bytes each."""
_EXACT = 2.0**53
"""Beyond it a whole number is not what a browser takes it for, and what is infinite no JSON has."""

_Sent: TypeAlias = Mapping[str, object]
"""As JSON has it: 'values', each once; 'at', by row which of them is its own, left out where each row has its own."""


@final
@dataclass(frozen=True, kw_only=True)
class _Different:
    """The different values of a column."""

    first: tuple[int, ...]
    """By value, the row that has it first."""
    at: tuple[int, ...]
    """By row, its value."""

    @classmethod
    def of(cls, values: Sequence[Hashable]) -> _Different:
        places: dict[Hashable, int] = {}
        at = tuple(places.setdefault(value, len(places)) for value in values)
        first = {place: row for row, place in reversed([*enumerate(at)])}
        return cls(first=tuple(first[place] for place in range(len(places))), at=at)

    def sent(self, **values: Callable[[int], object]) -> _Sent:
        """Each of these by value, given the row that has it first."""
        made: dict[str, object] = {name: [value(row) for row in self.first] for name, value in values.items()}
        return made if len(self.first) == len(self.at) else {**made, "at": self.at}


def known_rows(found: TableAnswer, asked: TableAsked) -> str:
    """JSON of all rows in the order asked for, found or not: 'cells' as they are written under the columns that are
    shown, 'columns' what words and comparisons are held against; 'count' of the rows."""
    there = {column.name for column in found.table.columns}
    rows = ordered(found.table.rows, [one for one in asked.order if one.column in there])
    frame = frame_of(LaidTable(shown=replace(found.shown, rows=rows), labels=found.labels, at=found.at), "")
    cells = {str(name): _written([*frame[name]]) for name in frame.columns}
    columns = [_named(rows), *(_column(column, rows) for column in found.table.columns)]
    return json.dumps({"count": len(rows), "cells": cells, "columns": columns}, separators=(",", ":"))


def _written(texts: Sequence[str]) -> _Sent:
    return _Different.of(texts).sent(values=texts.__getitem__)


def _named(rows: Sequence[Row]) -> _Sent:
    """Names are searched, and are under no column's own name."""
    texts = ["\n".join(row.variants).casefold() for row in rows]
    return {"name": "", **_Different.of(texts).sent(searched=texts.__getitem__)}


def _column(column: Column, rows: Sequence[Row]) -> _Sent:
    """'compared': a number, a text, or null where there is nothing; 'searched': the text that words are parts of."""
    cells = [row.cells.get(column.name) for row in rows]
    different = _Different.of([(type(cell), cell) for cell in cells])
    wanted: dict[str, Callable[[int], object]] = {}
    if all(_exact(cells[row]) for row in different.first):
        wanted["compared"] = lambda row: _compared(cells[row])
    if column.part != "measure":
        wanted["searched"] = lambda row: _searched(column, cells[row])
    return {"name": column.name.casefold(), "numeric": column.numeric, **different.sent(**wanted)}


def _exact(cell: Cell) -> bool:
    return not is_number(cell) or is_nothing(cell) or abs(float(str(cell))) < _EXACT


def _compared(cell: Cell) -> object:
    return None if is_nothing(cell) else cell if is_number(cell) else written(cell).casefold()


def _searched(column: Column, cell: Cell) -> str | None:
    if column.part in ("parameter", "training"):
        return None if cell is None else f"{column.name}={written(cell)}".casefold()
    return cell.casefold() if isinstance(cell, str) else None
