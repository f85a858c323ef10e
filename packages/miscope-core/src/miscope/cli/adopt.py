"""`miscope import`: checkpoints made elsewhere become a variant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miscope.cli.options import WorkspaceOption, assignments, opened
from miscope.cli.printing import note

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The command `import`."""
    cli.command("import", rich_help_panel="Make")(adopt)


def adopt(
    path: Annotated[list[Path], typer.Argument(help="Checkpoint files, or a folder of them.", show_default=False)],
    family: Annotated[str | None, typer.Option(help="The family they are of.  (default: the one that fits)")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="KEY=VALUE", help="A parameter, or how it was trained.")
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Adopt checkpoints made elsewhere, weights only; nothing in the files is executed."""
    from miscope import importing

    place = opened(workspace)
    for variant in importing.adopt(place, path, family=family, params=assignments(param or ())):
        count = len(variant.steps)
        print(f"{variant.name}: {count} checkpoint{'s' * (count != 1)}")
        note(f"To look at it:  miscope analyze {variant.name}")
