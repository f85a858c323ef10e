"""Whether what `miscope show` writes moves, and which of its options have no effect then."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from miscope.cli.dropped import refuse_dropped
from miscope.errors import BadValue

if TYPE_CHECKING:
    from miscope.variant import Variant
    from miscope.view import View

__all__ = ["alone", "moves", "refuse_preset"]

_FILM = "A film is a file whose name ends in .gif, .webp or .mp4"
_NAME_ONE = "Name one with --out, or leave it out."


def moves(view: View, out: Path | None, *, step: int | None, frames: int | None, fps: float | None) -> bool:
    """Whether the file is a film, or a page with a slider.

    Raises BadValue for options that have no effect there, and for a file that is no figure of any kind.
    """
    from miscope.analyzer import Grain
    from miscope.figures.export import check_suffix
    from miscope.figures.film_file import FILMS

    suffix = "" if out is None else out.suffix.lower()
    film = suffix in FILMS
    moving = film or (suffix == ".html" and frames is not None)
    if out is not None and not film:
        check_suffix(out)
    whole = f"{view.name!r} is of {view.grain} grain: one figure shows the whole of training."
    still = view.grain is not Grain.CHECKPOINT and not film
    refuse_dropped(still, "for this view", whole, "Leave it out.", step=step, frames=frames, fps=fps)
    refuse_dropped(not film, "without a film", f"{_FILM}.", _NAME_ONE, fps=fps)
    pages = f"{_FILM}; a page ends in .html."
    refuse_dropped(not moving, "without a film or a page with a slider", pages, _NAME_ONE, frames=frames)
    moved = "Those show one checkpoint after the other."
    refuse_dropped(moving, "in a film or a page with a slider", moved, "Leave it out, or write a .png.", step=step)
    return moving


def refuse_preset(preset: str | None, out: Path | None, *, moving: bool) -> None:
    """BadValue for one that does not exist, or of which nothing would be seen in such a file."""
    from miscope.figures.export import IMAGES
    from miscope.figures.paper import read_paper

    still = out is not None and not moving and out.suffix.removeprefix(".").lower() in IMAGES
    pictures = f"A preset is of pictures: {', '.join(f'.{suffix}' for suffix in IMAGES)}."
    refuse_dropped(not still, "without a picture", pictures, _NAME_ONE, preset=preset)
    if preset is not None:
        read_paper(preset)


def alone(variants: Sequence[Variant]) -> Variant:
    """The one that a film is of. Raises BadValue for several."""
    if len(variants) > 1:
        raise BadValue(
            f"A film is of one variant, and {len(variants)} are meant.",
            f"They are: {', '.join(variant.name for variant in variants)}.",
            "Name one; or write a .png or .html, without --frames, of a view that compares.",
        )
    return variants[0]
