"""`miscope import`: checkpoints made elsewhere become a variant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from miscope.cli.options import LabelOption, WorkspaceOption, assignments, opened
from miscope.cli.printing import note
from miscope.cli.sources import said_of_assumed, said_of_files

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
    label: LabelOption = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", metavar="PATTERN", help="Tensors to leave out, or words of a configuration."),
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Adopt checkpoints made elsewhere, weights only; nothing in the files is executed."""
    from miscope import importing
    from miscope.foreign.paths import checkpoint_files

    place = opened(workspace)
    options = {"family": family, "params": assignments(param or ()), "name": label, "ignore": ignore or ()}
    for variant in importing.adopt(place, path, **options):
        count = len(variant.steps)
        print(f"{variant.name}: {count} checkpoint{'s' * (count != 1)}")
        imported: Any = place.store.variant_record(variant.name).facts.get("imported", {})
        for line in said_of_files(imported, {file.name for file in checkpoint_files(path)}):
            note(line)
        if assumed := place.store.variant_record(variant.name).facts.get("assumed"):
            note(said_of_assumed(assumed))
        note(f"To look at it:  miscope analyze {variant.name}")
