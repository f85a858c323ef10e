"""`miscope delete`, `miscope restore` and `miscope trash`: variants out of the way, back again, or gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import note, print_json, print_table
from miscope.commands import in_workspace
from miscope.errors import BadValue

if TYPE_CHECKING:
    from miscope.workspace import Workspace

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
    from miscope.errors import MiscopeError
    from miscope.store.trash import delete as deleted

    place = opened(workspace)
    chosen = variants_meant(place, variant)
    rows, refused = [], False
    # What is built on another goes before it.
    for each in sorted(chosen, key=lambda variant: len(variant.parents), reverse=True):
        try:
            _refuse_in_use(place, each.name)
            gone = deleted(place.store, each.name)
        except MiscopeError as error:
            refused = True
            rows.append({"name": each.name, "bytes": None, "refused": str(error)})
            note(str(error))
            continue
        rows.append({"name": each.name, "bytes": gone.size, "refused": None})
        if not as_json:
            undo = in_workspace(place.root, f"miscope restore {each.name}")
            print(f"{each.name}: in the trash, {gone.size / 1e6:.1f} MB.  To bring it back:  {undo}")
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


def _refuse_in_use(place: Workspace, name: str) -> None:
    """BadValue where a run that has not ended trains the variant or analyzes it."""
    from miscope.runs.run_queue import RunQueue

    numbers = [run.id for run in RunQueue(place.root).unfinished_on(name)]
    if numbers:
        raise BadValue(
            f"{name} cannot be deleted.",
            f"These runs are to work on it: {', '.join(map(str, numbers))}.",
            f"Stop or cancel them first:  {in_workspace(place.root, 'miscope runs list')}",
        )
