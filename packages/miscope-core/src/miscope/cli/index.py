"""`miscope index`: the derived database, rebuilt or looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import note_problems, print_json, print_table

if TYPE_CHECKING:
    from miscope.workspace import Workspace

__all__ = ["add_to"]

_TABLES = ("variants", "runs", "checkpoints", "artifacts", "metrics", "scalars")


def add_to(cli: typer.Typer) -> None:
    """The commands `index rebuild` and `index status`."""
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Rebuild the index, or say what it holds.")
    group.command()(rebuild)
    group.command()(status)
    cli.add_typer(group, name="index", rich_help_panel="Look")


def rebuild(workspace: WorkspaceOption = None) -> None:
    """Make the index anew from the files.

    Nothing is lost: it holds only what is in them too.
    """
    place = opened(workspace)
    note_problems(place.index.rebuild())
    _print(place, as_json=False)


def status(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Count the rows of each table.

    What was added since the index was last made is counted too.
    """
    place = opened(workspace)
    note_problems(place.index.answer("SELECT 1").problems)
    _print(place, as_json=as_json)


def _print(place: Workspace, *, as_json: bool) -> None:
    counts = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in _TABLES)
    counts = place.ask(f"SELECT {counts}").to_pylist()[0]
    if as_json:
        print_json(counts)
        return
    print_table(("table", "rows"), counts.items())
