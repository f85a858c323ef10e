"""Rows as the bytes of a file: CSV, JSON or Parquet."""

from __future__ import annotations

import enum
import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from miscope.jsonable import jsonable

if TYPE_CHECKING:
    import pyarrow

__all__ = ["RowKind", "row_file"]


class RowKind(enum.StrEnum):
    """How rows are written; also the suffix."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def row_file(table: pyarrow.Table, kind: RowKind) -> bytes:
    """The whole file; a column of a type that has no place in it is JSON text."""
    if kind is RowKind.JSON:
        rows = jsonable(table.to_pylist())
        return (json.dumps(rows, indent=2, ensure_ascii=False, default=str, allow_nan=False) + "\n").encode()
    buffer = io.BytesIO()
    if kind is RowKind.CSV:
        from pyarrow import csv

        csv.write_csv(_as_text(table, _is_nested), buffer)
    else:
        import pyarrow as pa
        from pyarrow import parquet

        parquet.write_table(_as_text(table, pa.types.is_interval), buffer)
    return buffer.getvalue()


def _as_text(table: pyarrow.Table, is_odd: Callable[[pyarrow.DataType], bool]) -> pyarrow.Table:
    """The table with columns of odd types as JSON text."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if is_odd(field.type):
            texts = [_text(value) for value in table.column(place).to_pylist()]
            table = table.set_column(place, field.name, pa.array(texts, pa.string()))
    return table


def _is_nested(kind: pyarrow.DataType) -> bool:
    """Whether CSV has no place for a value of the type: a list, a struct, bytes, a span of time."""
    from pyarrow import types

    plain = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_string, types.is_null)
    return not (any(is_plain(kind) for is_plain in plain) or (types.is_temporal(kind) and not types.is_interval(kind)))


def _text(value: object) -> str | None:
    return None if value is None else json.dumps(jsonable(value), ensure_ascii=False, default=str)
