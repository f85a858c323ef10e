"""Several figures of one variant into a folder: what the demo and the paper's run end with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from miscope.bound import BoundVariant

__all__ = ["PICTURES", "Picture", "draw"]


@final
@dataclass(frozen=True)
class Picture:
    """A view, and the step to draw it at."""

    view: str
    step: int | None = None
    """None: the view's own choice, the last checkpoint where it shows one."""


PICTURES = tuple(
    Picture(view)
    for view in (
        "behaviour.losses",
        "behaviour.accuracies",
        "spectra.embedding",
        "spectra.embedding_map",
        "neurons.contact_sheet",
        "neurons.clusters",
        "attention.patterns",
        "parameters.trajectory",
    )
)


def draw(variant: BoundVariant, pictures: Sequence[Picture], folder: Path, *, prefix: str = "") -> Iterator[Path]:
    """Each picture as 'folder/prefix<view>.png'; as a page where there is no browser to draw images."""
    from miscope.figures.export import Exporter, NoBrowser
    from miscope.figures.render import render

    kind = "png"
    with Exporter() as exporter:
        for picture in pictures:
            figure = render(variant.workspace.value, picture.view, variant.value, step=picture.step)
            name = prefix + picture.view.replace(".", "-")
            try:
                yield exporter.export(figure, folder / f"{name}.{kind}")
            except NoBrowser:
                kind = "html"
                yield exporter.export(figure, folder / f"{name}.{kind}")
