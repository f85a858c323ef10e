"""`miscope myplugin`: the last test loss of every variant in the workspace."""

from __future__ import annotations

from typing import Annotated

import typer
from miscope.cli.options import WorkspaceOption

__all__ = ["last_losses"]


def last_losses(
    family: Annotated[str | None, typer.Argument(help="Only of this family.", show_default=False)] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Print the last test loss of every variant in the workspace."""
    import miscope

    for variant in miscope.open(workspace).variants(family):
        for series in variant.metrics("test_loss").values():
            print(f"{variant.name}  step {series.steps[-1]}  test loss {series.values[-1]:.3g}")
