"""Frames of a film as images, kept beside it until it is whole, so that a film that was interrupted goes on."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, final

from miscope.store.atomic import make_folder

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.figures.export import Exporter

__all__ = ["FilmFrames"]


@final
class FilmFrames:
    """The folder of a film's frames. A frame is named for what is drawn in it, so one that is there is that one."""

    def __init__(self, film: Path) -> None:
        self.folder = film.with_name(f".{film.name}.frames")

    @property
    def begun(self) -> bool:
        """Whether some may be there already."""
        return self.folder.exists()

    def drawn(self, figures: Sequence[Figure], exporter: Exporter) -> Iterator[Path]:
        """The image of each figure in order, drawn unless it is there; no browser is asked for those that are."""
        make_folder(self.folder)
        for figure in figures:
            path = self.folder / f"{_named(figure)}.png"
            yield path if path.exists() else exporter.export(figure, path, scale=1)

    def remove(self) -> None:
        """Once the film is whole."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _named(figure: Figure) -> str:
    return hashlib.sha256((figure.to_json() or "").encode()).hexdigest()[:24]
