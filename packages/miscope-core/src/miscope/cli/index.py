"""`miscope index`: the derived database, rebuilt or looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import print_json, print_table

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
    """Make the index anew from the files and the ledgers; nothing is lost, they are the truth."""
    place = opened(workspace)
    place.index.rebuild()
    _print(place, as_json=False)


def status(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Say how many rows each table holds, the newest ledger lines included."""
    _print(opened(workspace), as_json=as_json)


def _print(place: Workspace, *, as_json: bool) -> None:
    counts = {table: place.ask(f"select count(*) as n from {table}").to_pylist()[0]["n"] for table in _TABLES}
    if as_json:
        print_json(counts)
        return
    print_table(("table", "rows"), counts.items())
