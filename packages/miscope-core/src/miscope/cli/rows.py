"""How commands write a table of rows: to the terminal or a file, as text, CSV, JSON or Parquet."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.cli.out_file import write_out
from miscope.cli.printing import print_table
from miscope.errors import BadValue
from miscope.exporting.row_file import RowKind, row_file

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
    content = row_file(table, RowKind(chosen.value))
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
