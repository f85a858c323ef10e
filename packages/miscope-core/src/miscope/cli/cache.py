"""`miscope cache`: activations that are kept to be read again, how many, and away with them."""

from __future__ import annotations

from typing import Annotated

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import print_json

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The command `cache`."""
    cli.command(rich_help_panel="Make")(cache)


def cache(
    empty: Annotated[bool, typer.Option("--empty", help="Remove all of it; what is needed is computed again.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how many activations of checkpoints are kept for what is built on them."""
    kept = opened(workspace).activation_cache
    found = kept.clear() if empty else kept.size
    if as_json:
        print_json({"files": found.files, "bytes": found.size, "limit": kept.limit, "removed": empty})
        return
    verb = "removed" if empty else f"of at most {kept.limit / 1e6:,.0f} MB"
    print(f"{found.files} activations, {found.size / 1e6:,.1f} MB {verb}")
