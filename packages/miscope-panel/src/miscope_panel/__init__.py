"""The workbench: a dashboard over a workspace, offered to `miscope` as the command `serve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope.hookspecs import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def miscope_commands(cli: typer.Typer) -> None:
    from miscope_panel.command import serve

    cli.command(rich_help_panel="Look")(serve)
