"""A view over its checkpoints as a moving picture or as a page with a slider: a figure a frame, one range for all."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, final

from miscope.analyzer import Grain
from miscope.errors import BadValue, MiscopeError, NoArtifact
from miscope.figures.export import Exporter
from miscope.figures.locked_ranges import lock_ranges
from miscope.figures.render import gather, render
from miscope.figures.scrubber import scrubber_page
from miscope.maths.evenly_spaced import evenly_spaced
from miscope.store.atomic import write_whole

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.analysis.analyzer_options import Options
    from miscope.variant import Variant
    from miscope.view import View
    from miscope.workspace import Workspace

__all__ = ["Film", "animate", "spread"]

PAUSE = 150
"""Milliseconds a frame stands."""

REST = 1500
"""Milliseconds the last one stands before it begins again."""


@final
@dataclass(frozen=True)
class Film:
    """How many frames have been drawn, of how many."""

    done: int
    total: int


def animate(
    workspace: Workspace, view: str, variant: Variant, path: Path, *, frames: int = 40, **shown: Any
) -> Iterator[Film]:
    """Draw the view at checkpoints spread over training and write them as a GIF, or, for a path that ends in .html, as
    one page with a slider; says after each frame how far it is.

    frames: at most so many. shown: the view's controls, and `options` as of `render`. Axes and colour scales have the
    same ranges in all. Raises BadValue for a view that spans training, NoArtifact where nothing was computed, and
    NoBrowser where images cannot be drawn; a page needs none. The file appears whole, at the end, or not at all.
    """
    record = workspace.plugins.view(view)
    if record.grain is not Grain.CHECKPOINT:
        raise BadValue(
            f"{view!r} does not move.",
            f"It is of {record.grain} grain: one figure shows the whole of training.",
            f"Write it as {path.stem}.html or {path.stem}.png.",
        )
    as_page = path.suffix.lower() == ".html"
    image = None if as_page else _library(path)
    steps = spread(_drawable(workspace, record, variant, shown.get("options")), frames)
    figures = []
    for step in steps:
        figures.append(render(workspace, record, variant, step=step, **shown))
        if as_page:
            yield Film(len(figures), len(steps))
    lock_ranges(figures)
    if as_page:
        label = workspace.plugins.family(variant.family).step_label
        page = scrubber_page(figures, [f"{label} {step:,}" for step in steps])
        write_whole(path, lambda file: file.write(page.encode()))
    else:
        yield from _filmed(figures, path, image)


def _filmed(figures: Sequence[Figure], path: Path, image: Any) -> Iterator[Film]:
    """The figures as images, one after the other, in one GIF."""
    made = []
    with Exporter() as exporter, TemporaryDirectory() as folder:
        for figure in figures:
            drawn = exporter.export(figure, Path(folder) / "frame.png", scale=1)
            made.append(image.open(io.BytesIO(drawn.read_bytes())).convert("P", palette=image.Palette.ADAPTIVE))
            yield Film(len(made), len(figures))
    pauses = [PAUSE] * (len(made) - 1) + [REST]
    how = {"format": "GIF", "save_all": True, "append_images": made[1:], "duration": pauses, "loop": 0}
    write_whole(path, lambda file: made[0].save(file, **how))


def spread(steps: Sequence[int], count: int) -> list[int]:
    """At most so many of the steps, evenly by their order, the first and the last among them."""
    if len(steps) <= count:
        return list(steps)
    if count < 2:
        return list(steps[-1:])
    return [steps[row] for row in evenly_spaced(len(steps), count, nearest=True)]


def _drawable(workspace: Workspace, view: View, variant: Variant, options: Options | None) -> Sequence[int]:
    """Checkpoints at which everything the view reads was computed."""
    steps: Sequence[int] = workspace.store.steps(variant.name)
    while True:
        try:
            gather(workspace, view, variant, steps[-1] if steps else None, options)
        except NoArtifact as error:
            there = [step for step in steps if step in error.have]
            if not there or there == steps:
                raise
            steps = there
        else:
            return steps


def _library(path: Path) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise MiscopeError(
            f"{path.name} needs Pillow, which puts the frames together.",
            "The package pillow is not installed.",
            "Install it:  pip install pillow",
        ) from None
    return Image
