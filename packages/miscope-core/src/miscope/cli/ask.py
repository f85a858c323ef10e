"""`miscope ask "SQL"`: a question to the index."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miscope.cli.options import WorkspaceOption, opened
from miscope.cli.out_file import check_out
from miscope.cli.printing import note, note_problems
from miscope.cli.rows import Format, by_suffix, write_rows

__all__ = ["add_to"]


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
    seconds: Annotated[float, typer.Option(min=0.01, help="Time the question may take.")] = 120.0,
    workspace: WorkspaceOption = None,
) -> None:
    """Answer a question in SQL over everything in the workspace."""
    place, chosen = opened(workspace), form or by_suffix(out)
    check_out(out)
    answer = place.index.answer(sql, seconds=seconds)
    note_problems(answer.problems)
    write_rows(answer.rows, chosen, out)
    if not place.root.is_dir():
        note(f"There is no folder {place.root}, so every table is empty; --workspace names another.")
