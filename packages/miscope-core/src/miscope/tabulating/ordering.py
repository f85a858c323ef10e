"""Rows in the order of their columns: numbers before words, and what has no value last, whichever way."""

from __future__ import annotations

from collections.abc import Sequence

from miscope.tabulating.asked import Order
from miscope.tabulating.variant_table import Cell, Row, Summary, is_nothing

__all__ = ["ordered"]


def ordered(rows: Sequence[Row], order: Sequence[Order]) -> tuple[Row, ...]:
    """The rows by the first column, those that are equal there by the next, and at last by their variants' names.

    The same rows come out in the same order however they went in; without an order they stay as they are.
    """
    if not order:
        return tuple(rows)
    found = sorted(rows, key=lambda row: row.variants)
    for one in reversed(order):
        there = [row for row in found if not is_nothing(row.cells.get(one.column))]
        nothing = [row for row in found if is_nothing(row.cells.get(one.column))]
        there.sort(key=lambda row, column=one.column: _key(row.cells.get(column)), reverse=one.descending)
        found = [*there, *nothing]
    return tuple(found)


def _key(cell: Cell) -> tuple[int, float, str]:
    """Python sorts stably in either direction, so equal keys leave what was there.

    A whole number stays one: it may be beyond all floats.
    """
    if isinstance(cell, Summary):
        return 0, cell.mean, ""
    if isinstance(cell, int | float):
        return 0, cell, ""
    return 1, 0.0, str(cell).casefold()
