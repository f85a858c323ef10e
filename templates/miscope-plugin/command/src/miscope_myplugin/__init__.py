"""The door of this plug-in: what miscope finds once the package is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope import hookimpl

if TYPE_CHECKING:
    import typer


@hookimpl
def miscope_commands(cli: typer.Typer) -> None:
    # Called for `miscope --help` too: what takes long to import is imported in the command itself.
    from miscope_myplugin.myplugin import last_losses

    cli.command("myplugin")(last_losses)
