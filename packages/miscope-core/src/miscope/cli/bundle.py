"""`miscope bundle`: variants as one archive, for another workspace."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.options import JsonOption, WorkspaceOption, opened
from miscope.cli.printing import note, print_json

if TYPE_CHECKING:
    from miscope.exporting.bundle_manifest import Copied

__all__ = ["add_to", "with_bar"]


def add_to(cli: typer.Typer) -> None:
    """The command `bundle`."""
    cli.command(rich_help_panel="Make")(bundle)


def bundle(
    variant: Annotated[
        list[str],
        typer.Argument(
            metavar="VARIANT...|FAMILY [KEY=VALUE]...",
            help="Its name, or the parts it begins with; what it is built on comes along.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE.zip", help="The archive.", show_default=False)],
    artifacts: Annotated[
        bool, typer.Option("--artifacts/--no-artifacts", help="With what instruments computed.")
    ] = True,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put VARIANT into one archive, which `miscope import` takes into another workspace."""
    from miscope.cli.targets import variants_meant
    from miscope.exporting.bundle import bundle as bundled
    from miscope.exporting.bundle import with_sources

    place = opened(workspace)
    chosen = variants_meant(place, variant)
    with_bar(bundled(place, chosen, out, artifacts=artifacts))
    names = list(with_sources(place, chosen))
    size = out.stat().st_size
    if as_json:
        print_json({"path": str(out), "bytes": size, "variants": names})
        return
    for name in names:
        if name not in [each.name for each in chosen]:
            note(f"{name} comes along: others are built on it.")
    print(f"{out}: {len(names)} variant{'s' * (len(names) != 1)}, {size / 1e6:,.1f} MB")


def with_bar(copied: Iterable[Copied]) -> None:
    """Have everything copied, with a bar on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress

    from miscope.cli.time_left import TimeLeft

    columns = (BarColumn(bar_width=None), DownloadColumn(), TimeLeft())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=None)
        for so_far in copied:
            bar.update(task, completed=so_far.done, total=so_far.total)
