"""How commands write a table of rows: to the terminal or a file, as text, CSV, JSON or Parquet."""

from __future__ import annotations

import enum
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.cli.out_file import write_out
from miscope.cli.printing import print_table
from miscope.errors import BadValue
from miscope.jsonable import jsonable

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Format", "by_suffix", "write_rows"]


class Format(enum.StrEnum):
    """How the rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def write_rows(table: pyarrow.Table, chosen: Format, out: Path | None) -> None:
    """The rows in that format, to the file or to standard output; BadValue for Parquet on a terminal."""
    if chosen is Format.TABLE:
        _print(table, out)
        return
    content = _encoded(table, chosen)
    if out is not None:
        write_out(out, content)
        print(f"{out}: {table.num_rows} rows")
    elif chosen is Format.PARQUET and sys.stdout.isatty():
        raise BadValue(
            "Parquet is not for a terminal.", "It is a binary format.", "Give a file with --out rows.parquet."
        )
    else:
        sys.stdout.buffer.write(content)


def by_suffix(out: Path | None) -> Format:
    """The format that the suffix of a file says; a table where there is none. BadValue for any other."""
    suffix = "" if out is None else out.suffix.removeprefix(".").lower()
    if suffix in ("", "txt", "tsv"):
        return Format.TABLE
    if suffix not in (*Format,):
        raise BadValue(
            f"Rows cannot be written as .{suffix}.",
            "The suffix says how: .csv, .json, .parquet, or .txt for a table.",
            "Give another suffix, or say it with --format.",
        )
    return Format(suffix)


def _print(table: pyarrow.Table, out: Path | None) -> None:
    columns = [column.to_pylist() for column in table.columns]
    rows = [list(row) for row in zip(*columns, strict=True)]
    if out is None:
        print_table(table.column_names, rows)
        return
    lines = ["\t".join(table.column_names), *("\t".join(map(str, row)) for row in rows)]
    write_out(out, ("\n".join(lines) + "\n").encode())


def _encoded(table: pyarrow.Table, form: Format) -> bytes:
    import io

    if form is Format.JSON:
        rows = jsonable(table.to_pylist())
        return (json.dumps(rows, indent=2, ensure_ascii=False, default=str, allow_nan=False) + "\n").encode()
    buffer = io.BytesIO()
    if form is Format.CSV:
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
