"""`miscope delete`, `miscope restore` and `miscope trash`: variants out of the way, back again, or gone."""

from __future__ import annotations

from typing import Annotated

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import note, print_json, print_table
from miscope.commands import in_workspace

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The commands `delete`, `restore` and `trash`."""
    for command in (delete, restore, trash):
        cli.command(rich_help_panel="Make")(command)


def delete(
    variant: Annotated[
        list[str], typer.Argument(metavar="VARIANT...|FAMILY [KEY=VALUE]...", help="Variants, or those of a family.")
    ],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move variants into the trash, with all that was computed of them; `miscope restore` brings them back.

    Refuses those that others are built on, and those that a run is to work on.
    """
    from miscope.cli.targets import variants_meant
    from miscope.runs.deleting import delete_variants

    place = opened(workspace)
    rows, refused = [], False
    for each in delete_variants(place, [one.name for one in variants_meant(place, variant)]):
        size = None if each.deleted is None else each.deleted.size
        rows.append({"name": each.name, "bytes": size, "refused": each.refused or None})
        if size is None:
            refused = True
            note(each.refused)
        elif not as_json:
            undo = in_workspace(place.root, f"miscope restore {each.name}")
            print(f"{each.name}: in the trash, {size / 1e6:.1f} MB.  To bring it back:  {undo}")
    if as_json:
        print_json(rows)
    if refused:
        raise typer.Exit(1)


def restore(
    variant: Annotated[list[str], typer.Argument(metavar="VARIANT...", help="Names; `miscope trash` lists them.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Put deleted variants back to their places."""
    from miscope.store.trash import restore as restored

    place = opened(workspace)
    for name in variant:
        restored(place.store, name)
        print(f"{name}: back, with {len(place.store.steps(name))} checkpoints")


def trash(
    empty: Annotated[bool, typer.Option("--empty", help="Remove all of it for good.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the variants that were deleted, the latest first."""
    from miscope.store.trash import deleted, empty_trash

    place = opened(workspace)
    rows = [{"name": each.name, "when": each.when, "bytes": each.size} for each in deleted(place.store)]
    if empty:
        empty_trash(place.store)
    if as_json:
        print_json(rows)
        return
    if empty or not rows:
        freed = sum(row["bytes"] for row in rows) / 1e6
        print(f"{len(rows)} removed for good, {freed:.1f} MB" if rows else "The trash is empty.")
        return
    print_table(("variant", "deleted (UTC)", "bytes"), [(row["name"], row["when"][:15], row["bytes"]) for row in rows])
