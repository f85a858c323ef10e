"""`miscope ask "SQL"`: a question to the index."""

from __future__ import annotations

import enum
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.options import WorkspaceOption, opened
from miscope.cli.printing import print_table
from miscope.errors import BadValue

if TYPE_CHECKING:
    import pyarrow

__all__ = ["add_to"]


class Format(enum.StrEnum):
    """How the rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def add_to(cli: typer.Typer) -> None:
    """The command `ask`."""
    cli.command(rich_help_panel="Look")(ask)


def ask(
    sql: Annotated[
        str, typer.Argument(help="Over: variants, runs, checkpoints, artifacts, metrics, scalars.", show_default=False)
    ],
    form: Annotated[
        Format | None, typer.Option("--format", help="(default: by the suffix of --out, else table)")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of printing.")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Answer a question in SQL over everything in the workspace."""
    table = opened(workspace).ask(sql)
    chosen = form or _by_suffix(out)
    if chosen is Format.TABLE:
        _print(table, out)
        return
    content = _encoded(table, chosen)
    if out is not None:
        out.write_bytes(content)
        print(f"{out}: {table.num_rows} rows")
    elif chosen is Format.PARQUET and sys.stdout.isatty():
        raise BadValue(
            "Parquet is not for a terminal.", "It is a binary format.", "Give a file with --out rows.parquet."
        )
    else:
        sys.stdout.buffer.write(content)


def _by_suffix(out: Path | None) -> Format:
    suffix = "" if out is None else out.suffix.removeprefix(".")
    return Format(suffix) if suffix in (*Format,) else Format.TABLE


def _print(table: pyarrow.Table, out: Path | None) -> None:
    rows = [list(row.values()) for row in table.to_pylist()]
    if out is None:
        print_table(table.column_names, rows)
        return
    lines = ["\t".join(table.column_names), *("\t".join(map(str, row)) for row in rows)]
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _encoded(table: pyarrow.Table, form: Format) -> bytes:
    import io

    if form is Format.JSON:
        return (json.dumps(table.to_pylist(), indent=2, ensure_ascii=False, default=str) + "\n").encode()
    buffer = io.BytesIO()
    if form is Format.CSV:
        from pyarrow import csv

        csv.write_csv(table, buffer)
    else:
        from pyarrow import parquet

        parquet.write_table(table, buffer)
    return buffer.getvalue()
