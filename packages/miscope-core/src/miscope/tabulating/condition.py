"""Of which variants a condition in SQL is true: asked of the index, with the table beside its own tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from miscope.errors import BadValue
from miscope.field_text import shortened
from miscope.tabulating.variant_table import Cell, Column, VariantTable, is_nothing

if TYPE_CHECKING:
    import pyarrow

    from miscope.index.index import Index

__all__ = ["admitted"]

_REFUSED = "The question cannot be answered. "


def admitted(index: Index, table: VariantTable, condition: str) -> frozenset[str] | None:
    """Names of the variants of which the condition is true; None where nothing is asked.

    It may say whatever stands after WHERE in a SELECT over the table's columns, and ask the index's own tables too:
    `prime > 50 and variant in (select variant from metrics where value is null)`. It is answered as `Index.ask`
    answers: nothing can be written, no file read, and time and memory are bounded. Raises BadValue, of the field
    'where', for what DuckDB does not understand.
    """
    if not condition.strip():
        return None
    # On lines of its own: a comment in it ends there.
    question = f"SELECT DISTINCT variant FROM shown WHERE\n{condition}\n"
    try:
        rows = index.ask(question, beside={"shown": _rows(table)})
    except BadValue as error:
        raise _misunderstood(condition, str(error).splitlines()[0].removeprefix(_REFUSED), table) from None
    known = {name for row in table.rows for name in row.variants}
    return frozenset(name for name in rows["variant"].to_pylist() if name in known)


def _misunderstood(condition: str, reason: str, table: VariantTable) -> BadValue:
    plain = [column.name for column in table.columns if column.name.isidentifier()]
    return BadValue(
        f"The condition cannot be answered: {condition.strip()}",
        reason,
        f"Columns are {shortened(plain)}; a name with other signs stands between double quotes.",
        field="where",
    )


def _rows(table: VariantTable) -> pyarrow.Table:
    """The table for DuckDB, to which names that differ in case alone are the same: the first of them stands."""
    import pyarrow as pa

    columns: dict[str, Column] = {}
    for column in table.columns:
        columns.setdefault(column.name.casefold(), column)
    arrays = {c.name: _array([row.cells.get(c.name) for row in table.rows], c) for c in columns.values()}
    return pa.table(arrays)


def _array(cells: Sequence[Cell], column: Column) -> pyarrow.Array:
    """Numbers as numbers, with nothing for NaN, which DuckDB has larger than every bound; all else as text or truth."""
    import pyarrow as pa

    there = [None if is_nothing(cell) else cell for cell in cells]
    known = [cell for cell in there if cell is not None]
    if column.numeric:
        whole = all(isinstance(cell, int) and abs(cell) < 2**63 for cell in known)
        return pa.array(there, pa.int64()) if whole else pa.array([_float(cell) for cell in there], pa.float64())
    if known and all(isinstance(cell, bool) for cell in known):
        return pa.array(there, pa.bool_())
    return pa.array([None if cell is None else _text(cell) for cell in there], pa.string())


def _float(cell: Cell) -> float | None:
    return float(cell) if isinstance(cell, int | float) else None


def _text(cell: Cell) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
