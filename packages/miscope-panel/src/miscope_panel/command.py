"""`miscope serve`: the command line of the workbench. Nothing heavy is imported before it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from miscope.cli.options import WorkspaceOption

__all__ = ["serve"]


def serve(  # noqa: PLR0913 - a command's parameters are its options
    workspace: WorkspaceOption = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 5006,
    host: Annotated[
        str, typer.Option(help="Address to listen on. Beyond this machine it needs --token.")
    ] = "127.0.0.1",
    token: Annotated[
        str | None,
        typer.Option(envvar="MISCOPE_TOKEN", help="Secret that every visitor must know.", show_default=False),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Refuse whatever would start, change or delete a run.")
    ] = False,
    open_browser: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open a browser.  [default: on a terminal]", show_default=False),
    ] = None,
) -> None:
    """Look at a workspace in the browser: every view, one step cursor; scripts ask for runs. Ctrl-C ends it."""
    import sys

    from miscope.workspace import open_workspace
    from miscope_panel.serving import Address, serve

    wanted = sys.stdout.isatty() if open_browser is None else open_browser
    address = Address(host=host, port=port, token=token)
    serve(open_workspace(workspace), address, open_browser=wanted, read_only=read_only)
