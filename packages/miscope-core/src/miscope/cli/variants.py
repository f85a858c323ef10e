"""`miscope variants`: what lies in the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import print_json, print_table

if TYPE_CHECKING:
    from miscope.workspace import BoundVariant

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The command `variants`."""
    cli.command(rich_help_panel="Look")(variants)


def variants(
    family: Annotated[str | None, typer.Argument(help="Only of this family.", show_default=False)] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the variants in the workspace with their checkpoints."""
    place = opened(workspace)
    if family is not None:
        place.plugins.family(family)
    rows = [_row(variant) for variant in place.variants(family)]
    if as_json:
        print_json(rows)
        return
    if not rows:
        print(f"There are no variants in {place.root} yet.  To train one:  miscope train FAMILY")
        return
    print_table(("variant", "checkpoints", "last step"), [(r["name"], r["checkpoints"], r["last_step"]) for r in rows])


def _row(variant: BoundVariant) -> dict[str, Any]:
    steps, training = variant.steps, variant.value.training
    return {
        "name": variant.name,
        "family": variant.value.family,
        "params": variant.value.params.model_dump(mode="json"),
        "training": None if training is None else training.model_dump(mode="json"),
        "checkpoints": len(steps),
        "last_step": steps[-1] if steps else None,
    }
