"""What of the table of variants is shown to one who asked: rows narrowed, grouped, ordered, under chosen columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import final

from miscope.tabulating.asked import TableAsked
from miscope.tabulating.grouping import MEMBERS, grouped, is_summed
from miscope.tabulating.narrowing import narrowed
from miscope.tabulating.ordering import ordered
from miscope.tabulating.variant_table import Column, Row, VariantTable, telling_apart

__all__ = ["ShownTable", "show"]

_MOST = 25
"""Columns that are shown unasked: more are not read, and slow the browser."""
_WORK = ("step", "state", "analyses", "missing_analyses")
_SAID = ("done_pct", "tags", "notes", "problem")
"""Columns that are shown unasked where there is anything in them."""


@final
@dataclass(frozen=True, kw_only=True)
class ShownTable:
    """Rows under columns."""

    columns: tuple[Column, ...] = ()
    rows: tuple[Row, ...] = ()
    matched: int = 0
    """Variants that are in these rows."""
    total: int = 0
    """Variants of the whole table."""
    ungrouped: tuple[Column, ...] = ()
    """The columns that its variants would be shown under; of a group they say what is common to all."""
    unknown: tuple[str, ...] = ()
    """Names that were asked for as columns, to order or to group by, of which there is none."""

    @property
    def in_groups(self) -> bool:
        """Whether a row is a group of variants."""
        return any(column.name == MEMBERS for column in self.columns)

    def page(self, number: int, size: int) -> tuple[Row, ...]:
        """The rows of one page, counted from 1; () beyond the last."""
        return self.rows[(number - 1) * size : number * size]


def show(table: VariantTable, asked: TableAsked, admitted: Collection[str] | None = None) -> ShownTable:
    """What is asked for of the table. Columns that are not there are left out, and nothing is ordered by them.

    admitted: names of the variants of which the condition is true; None where there is none.
    """
    rows: Sequence[Row] = [row for row in table.rows if admitted is None or row.variants[0] in admitted]
    rows = narrowed(rows, table.columns, asked.text)
    matched, known = len(rows), table.by_name
    by = [name for name in asked.group if name in known]
    names = [name for name in asked.columns if name in known] or _first_columns(table, rows)
    columns = ungrouped = [known[name] for name in names]
    if by:
        rows = grouped(rows, table.columns, by)
        columns = _of_groups(by, columns, known.values())
    there = {column.name for column in columns} | set(known)
    rows = ordered(rows, [one for one in asked.order if one.column in there])
    named = (*asked.group, *asked.columns, *(one.column for one in asked.order))
    unknown = tuple(dict.fromkeys(name for name in named if name not in {*there, MEMBERS}))
    return ShownTable(
        columns=tuple(columns),
        rows=tuple(rows),
        matched=matched,
        total=len(table.rows),
        ungrouped=tuple(ungrouped),
        unknown=unknown,
    )


def _first_columns(table: VariantTable, rows: Sequence[Row]) -> list[str]:
    """Which variant, how those of its family differ, what came of it: the same for whatever is found of a family."""
    families = {row.cells.get("family") for row in rows}
    kin = [row for row in table.rows if row.cells.get("family") in families] or table.rows
    said = [name for name in _SAID if any(row.cells.get(name) for row in kin)]
    measures = [column.name for column in table.columns if column.part == "measure"]
    after = [*measures, *(name for name in _WORK if name in table.by_name), *said]
    before = ["variant", *(["family"] if len(families) > 1 else [])]
    fields = telling_apart(table.columns, kin)[: max(_MOST - len(before) - len(after), 0)]
    return [*before, *fields, *after]


def _of_groups(by: Sequence[str], columns: Sequence[Column], known: Collection[Column]) -> list[Column]:
    """First what a group's variants have in common, then how many they are, then what is summed up over them."""
    keys = [column for name in by for column in known if column.name == name]
    summed = [column for column in columns if column.name not in by and is_summed(column)]
    return [*keys, Column(name=MEMBERS, part="work", numeric=True), *summed]
