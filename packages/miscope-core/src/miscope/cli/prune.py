"""`miscope prune`: remove checkpoints of trainings, once it was seen which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import note, print_json

if TYPE_CHECKING:
    from miscope.training.retention import Pruning

__all__ = ["add_to"]

_FEW = 12
"""Steps that a reader will go through."""


def add_to(cli: typer.Typer) -> None:
    """The command `prune`."""
    cli.command(rich_help_panel="Make")(prune)


def prune(
    variant: Annotated[
        list[str], typer.Argument(metavar="VARIANT...|FAMILY [KEY=VALUE]...", help="Variants, or those of a family.")
    ],
    last: Annotated[int, typer.Option(min=0, metavar="N", help="Keep the last N checkpoints.")] = 1,
    spread: Annotated[int, typer.Option(min=0, metavar="N", help="Keep N spread over the logarithm of the step.")] = 0,
    yes: Annotated[bool, typer.Option("--yes", help="Remove them.  (default: only say which)")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove checkpoints to make room: all but the first, the last, the best and those asked for. Artifacts stay.

    Steps that others are built on stay too.
    """
    from miscope.cli.targets import variants_meant
    from miscope.training.retention import prune as pruned
    from miscope.training.retention import pruning

    place = opened(workspace)
    chosen = variants_meant(place, variant)
    plans = [pruning(place, each, last=last, spread=spread) for each in chosen]
    if yes:
        for plan in plans:
            pruned(place, plan)
    if as_json:
        print_json([_facts(plan, yes) for plan in plans])
        return
    for plan in plans:
        _print(plan, yes)
    if not yes and any(plan.removed for plan in plans):
        note("Nothing was removed yet; the same command with --yes does it.")


def _facts(plan: Pruning, done: bool) -> dict[str, object]:
    needed = {str(step): names for step, names in plan.needed.items()}
    steps = {"kept": plan.kept, "removed": plan.removed, "needed": needed}
    return {"variant": plan.variant.name, **steps, "bytes": plan.size, "done": done}


def _print(plan: Pruning, done: bool) -> None:
    total = len(plan.kept) + len(plan.removed)
    verb = "removed" if done else "would be removed"
    print(f"{plan.variant.name}: {len(plan.removed)} of {total} checkpoints {verb}, {plan.size / 1e6:.1f} MB")
    shown = ", ".join(map(str, plan.kept[:_FEW])) + ", ..." * (len(plan.kept) > _FEW)
    print(f"  kept: {shown}")
    for step, names in plan.needed.items():
        print(f"  step {step} is what {', '.join(names)} is built on")
