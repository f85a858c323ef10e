"""A view over its checkpoints as a moving picture or as a page with a slider: a figure a frame, one range for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from miscope.analyzer import Grain
from miscope.errors import BadValue, NoArtifact
from miscope.figures.export import Exporter
from miscope.figures.film_file import FILMS, check_libraries, write_film
from miscope.figures.film_frames import FilmFrames
from miscope.figures.locked_ranges import lock_ranges
from miscope.figures.render import gather, render
from miscope.figures.scrubber import scrubber_page
from miscope.maths.evenly_spaced import evenly_spaced
from miscope.store.atomic import check_place, write_whole

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


def animate(  # noqa: PLR0913 - a reader's choices, keyword-only past what is filmed
    workspace: Workspace,
    view: str,
    variant: Variant,
    path: Path,
    *,
    frames: int = 40,
    fps: float | None = None,
    **shown: Any,
) -> Iterator[Film]:
    """Draw the view at checkpoints spread over training and write them as a film (.gif, .webp, .mp4), or, for a path
    that ends in .html, as one page with a slider; says after each frame how far it is.

    frames: at most so many. fps: frames a second; None stands each for 150 ms. shown: the view's controls, and
    `options` as of `render`. Axes and colour scales have the same ranges in all. Raises BadValue for a view that spans
    training and for another suffix, NoArtifact where nothing was computed, MissingLibrary, and NoBrowser where images
    cannot be drawn; a page needs none. The file appears whole, at the end, or not at all: frames lie in a folder beside
    it until then, and a film that was interrupted goes on with those it has.
    """
    record = workspace.plugins.view(view)
    if record.grain is not Grain.CHECKPOINT:
        raise BadValue(
            f"{view!r} does not move.",
            f"It is of {record.grain} grain: one figure shows the whole of training.",
            "Draw it without frames: `.export(path)`, or `miscope show` without --frames."
            if path.suffix.lower() == ".html"
            else f"Write it as {path.stem}.html or {path.stem}.png.",
        )
    pause = _pause(path, fps)
    check_place(path)
    steps = spread(_drawable(workspace, record, variant, shown.get("options")), frames)
    figures = (render(workspace, record, variant, step=step, **shown) for step in steps)
    if path.suffix.lower() != ".html":
        yield from _filmed(figures, len(steps), path, pause)
        return
    made = []
    for figure in figures:
        made.append(figure)
        yield Film(len(made), len(steps))
    lock_ranges(made)
    label = workspace.plugins.family(variant.family).step_label
    page = scrubber_page(made, [f"{label} {step:,}" for step in steps])
    write_whole(path, lambda file: file.write(page.encode()))


def _pause(path: Path, fps: float | None) -> int:
    """Milliseconds that a frame stands; BadValue for what cannot be written, MissingLibrary where it could be."""
    suffix = path.suffix.lower()
    if suffix not in (*FILMS, ".html"):
        raise BadValue(
            f"A film cannot be written as {path.name!r}.",
            f"The suffix says how: {', '.join((*FILMS, '.html'))}.",
            f"Try {path.stem}.mp4.",
        )
    if fps is not None and not 0.1 <= fps <= 60:
        raise BadValue(f"A film cannot have {fps:g} frames a second.", "It has 0.1 to 60 of them.", "Try fps=10.")
    if suffix in FILMS:
        check_libraries(path)
    return PAUSE if fps is None else round(1000 / fps)


def _filmed(figures: Iterator[Figure], count: int, path: Path, pause: int) -> Iterator[Film]:
    """So many figures as images, one after the other, in one film."""
    kept, made = FilmFrames(path), []
    with Exporter() as exporter:
        if not kept.begun:
            # While the figures are made; a film that goes on may have all its frames, and needs none then.
            exporter.start()
        ranged = [*figures]
        lock_ranges(ranged)
        for frame in kept.drawn(ranged, exporter):
            made.append(frame)
            yield Film(len(made), count)
    write_film(made, path, pause=pause, rest=max(REST, pause))
    kept.remove()


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
