"""Of which variants a condition in SQL is true: asked of the index, with the table beside its own tables."""

from __future__ import annotations

import math
import re
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
_PLACE = re.compile(r" LINE [0-9]+: ")
_LONGEST = 4000
"""Letters: an address has room for these, and for the rest of what is asked."""
_READ = 200
"""Letters of a condition that a refusal repeats."""
_SECONDS = 10.0
"""For as long others of the same server wait."""


def admitted(index: Index, table: VariantTable, condition: str) -> frozenset[str] | None:
    """Names of the variants of which the condition is true; None where nothing is asked.

    It may say whatever stands after WHERE in a SELECT over the table's columns, and ask the index's own tables too:
    `prime > 50 and variant in (select variant from metrics where value is null)`. It is answered as `Index.ask`
    answers: nothing can be written, no file read, and time and memory are bounded. Raises BadValue, of the field
    'where', for what DuckDB does not understand.
    """
    if not condition.strip():
        return None
    if len(condition) > _LONGEST:
        raise _too_long(condition)
    # On lines of its own: a comment in it ends there.
    question = f"SELECT DISTINCT variant FROM shown WHERE\n{condition}\n"
    try:
        rows = index.ask(question, seconds=_SECONDS, beside={"shown": _rows(table)})
    except BadValue as error:
        reason = _PLACE.split(str(error).splitlines()[0].removeprefix(_REFUSED))[0]
        raise _misunderstood(condition, reason, table) from None
    known = {name for row in table.rows for name in row.variants}
    return frozenset(name for name in rows["variant"].to_pylist() if name in known)


def _too_long(condition: str) -> BadValue:
    return BadValue(
        f"The condition has {len(condition):,} letters.",
        f"One of at most {_LONGEST:,} is answered.",
        "Ask the index of the workspace:  miscope ask 'SELECT ...'",
        field="where",
    )


def _misunderstood(condition: str, reason: str, table: VariantTable) -> BadValue:
    plain = [column.name for column in table.columns if column.name.isidentifier()]
    return BadValue(
        f"The condition cannot be answered: {_begun(condition.strip())}",
        reason,
        f"Columns are {shortened(plain)}; a name with other signs stands between double quotes.",
        field="where",
    )


def _begun(text: str) -> str:
    return text if len(text) <= _READ else f"{text[:_READ]} …"


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
    """A whole number beyond all floats as infinity."""
    if not isinstance(cell, int | float):
        return None
    try:
        return float(cell)
    except OverflowError:
        return math.inf if cell > 0 else -math.inf


def _text(cell: Cell) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
