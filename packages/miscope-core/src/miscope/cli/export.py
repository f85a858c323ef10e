"""`miscope export`: what is taken out of a workspace for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miscope.cli.options import WorkspaceOption, opened
from miscope.cli.out_file import check_out
from miscope.cli.rows import Format, by_suffix, write_rows

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The command `export history`."""
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Write what is known of variants to a file.")
    group.command(name="history")(write_history)
    cli.add_typer(group, name="export", rich_help_panel="Look")


def write_history(
    variant: Annotated[
        list[str],
        typer.Argument(
            metavar="VARIANT...|FAMILY [KEY=VALUE]...",
            help="Its name, or the parts it begins with; several are told apart by a column.",
            show_default=False,
        ),
    ],
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Columns to write: '*_loss', 'ranks.weights/*'.  (default: all)"),
    ] = None,
    form: Annotated[Format | None, typer.Option("--format", help="(default: by the suffix of --out, else csv)")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write to this file instead of printing: .csv, .json, .parquet.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a row for each step: what was recorded while VARIANT trained, and the single numbers of instruments."""
    from miscope.cli.targets import variants_meant
    from miscope.exporting.history import history

    place = opened(workspace)
    chosen = form or (Format.CSV if out is None else by_suffix(out))
    check_out(out)
    values = variants_meant(place, variant)
    write_rows(history(place, values, only or ("*",)), chosen, out)
