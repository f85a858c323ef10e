"""`miscope variants`: what lies in the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import print_json, print_table
from miscope.cli.short_names import note_shortened, shown_names
from miscope.commands import in_workspace
from miscope.store.origin import origin_of

if TYPE_CHECKING:
    from miscope.inventory import Stored
    from miscope.workspace import Workspace

__all__ = ["add_to"]

_BESIDE = 42
"""Characters of the columns beside the names."""


def add_to(cli: typer.Typer) -> None:
    """The command `variants`."""
    cli.command(rich_help_panel="Look")(variants)


def variants(
    family: Annotated[str | None, typer.Argument(help="Only of this family.", show_default=False)] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the variants in the workspace: where each comes from, and its checkpoints."""
    place = opened(workspace)
    if family is not None and family not in {name.partition("/")[0] for name in place.names()}:
        place.plugins.family(family)
    rows = [_row(place, stored) for stored in place.inventory(family)]
    if as_json:
        print_json(rows)
        return
    if not rows:
        line = in_workspace(place.root, "miscope train FAMILY")
        print(f"There are no variants in {place.root} yet.  To train one:  {line}")
        return
    others = place.names()
    shown = shown_names([*(r["name"] for r in rows), *others], beside=_BESIDE)
    print_table(
        ("variant", "origin", "checkpoints", "last step"),
        [(shown[r["name"]], r["origin"], r["checkpoints"], r["last_step"]) for r in rows],
    )
    note_shortened(shown)
    for row in rows:
        if row["problem"]:
            print(f"\nCannot be opened: {row['name']}\n  {row['problem']}")


def _row(place: Workspace, stored: Stored) -> dict[str, Any]:
    record, steps = stored.record, place.store.steps(stored.name) if stored.own else []
    return {
        "name": stored.name,
        "family": stored.name.partition("/")[0],
        "params": None if record is None else dict(record.params),
        "training": None if record is None else record.training,
        "origin": None if record is None else origin_of(record.facts),
        "checkpoints": len(steps),
        "last_step": steps[-1] if steps else None,
        "problem": stored.problem or None,
    }
