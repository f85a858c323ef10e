"""`miscope show VIEW VARIANT`: a figure as a file, or in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miscope.cli.options import WorkspaceOption, assignments, opened

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The command `show`."""
    cli.command(rich_help_panel="Look")(show)


def show(
    view: Annotated[str, typer.Argument(help="Name of a view; `miscope views` lists them.", show_default=False)],
    variant: Annotated[
        list[str], typer.Argument(help="Its name; several for a view that compares.", show_default=False)
    ],
    step: Annotated[int | None, typer.Option(help="The checkpoint to show.  (default: the last)")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", metavar="CONTROL=VALUE", help="A control of the view.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where to write it: .png, .svg, .pdf, .html, or .csv for its numbers.  (default: open a browser)"
        ),
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Draw VIEW of VARIANT and write it to a file; without --out, open it in a browser."""
    from miscope.exporting import export
    from miscope.rendering import render

    place = opened(workspace)
    members = [place.find(name).value for name in variant]
    controls = assignments(option or ())
    figure = render(place, view, members[0] if len(members) == 1 else members, step=step, **controls)
    if out is not None:
        print(export(figure, out))
        return
    import tempfile

    page = Path(tempfile.mkdtemp(prefix="miscope-")) / f"{view}.html"
    print(export(figure, page))
    typer.launch(str(page))
