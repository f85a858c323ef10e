"""`miscope show VIEW VARIANT`: a figure as a file, or in the browser."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from miscope.cli.moving import alone, moves, refuse_preset
from miscope.cli.options import WorkspaceOption, assignments, opened
from miscope.store.atomic import TEMPORARY, check_place, explaining

if TYPE_CHECKING:
    from miscope.figures.animate import Film

__all__ = ["add_to"]


def add_to(cli: typer.Typer) -> None:
    """The command `show`."""
    cli.command(rich_help_panel="Look")(show)


def show(
    view: Annotated[str, typer.Argument(help="Name of a view; `miscope views` lists them.", show_default=False)],
    variant: Annotated[
        list[str],
        typer.Argument(
            metavar="VARIANT...|FAMILY [KEY=VALUE]...",
            help="Its name, or the parts it begins with; several for a view that compares.",
            show_default=False,
        ),
    ],
    step: Annotated[
        str | None,
        typer.Option(metavar="STEP|first|last|best", help="The checkpoint to show.  (default: the last)"),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            "-o",
            metavar="CONTROL=VALUE|ANALYZER.OPTION=VALUE",
            help="A control of the view, or an option that what it shows was computed with.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where to write it: .png, .svg, .pdf, .html; .csv, .parquet or .npz for its numbers; .gif, .webp or "
            ".mp4 for its checkpoints in turn.  (default: open a browser)"
        ),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="At most so many checkpoints, of a film or of an .html with a slider.  (default: 40 of a film)",
        ),
    ] = None,
    fps: Annotated[
        float | None, typer.Option(min=0.1, max=60, help="Frames a second of a film.  (default: about 7)")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="paper[:WIDTH][:FONT]",
            help="A picture as a paper has it: 'paper:85mm:8pt', 'paper:7in'.  (default: as on the screen)",
        ),
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Draw VIEW of VARIANT and write it to a file; without --out, open it in a browser."""
    from miscope.analysis.analyzer_options import split_options
    from miscope.cli.targets import step_meant, variants_meant
    from miscope.figures.animate import animate
    from miscope.figures.export import export
    from miscope.figures.render import render

    place = opened(workspace)
    record = place.plugins.view(view)
    members = variants_meant(place, variant)
    at = None if step is None else step_meant(place, members, step)
    moving = moves(record, out, step=at, frames=frames, fps=fps)
    refuse_preset(preset, out, moving=moving)
    if out is not None:
        check_place(out)
    given = assignments(option or ())
    controls = {name: value for name, value in given.items() if "." not in name}
    options = split_options(place.plugins.analyzers, {n: v for n, v in given.items() if n not in controls})
    if out is not None and moving:
        one = alone(members)
        _film(animate(place, view, one, out, frames=frames or 40, fps=fps, options=options, **controls))
        print(out)
        return
    shown = members[0] if len(members) == 1 else members
    figure = render(place, record, shown, step=at, options=options, **controls)
    if out is not None:
        print(export(figure, out, preset=preset))
        return
    import tempfile

    with explaining(TEMPORARY):
        page = Path(tempfile.mkdtemp(prefix="miscope-")) / f"{view}.html"
    print(export(figure, page))
    typer.launch(str(page))


def _film(frames: Iterable[Film]) -> None:
    """Have every frame drawn, with a bar on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("frames", total=None)
        for film in frames:
            bar.update(task, completed=film.done, total=film.total)
