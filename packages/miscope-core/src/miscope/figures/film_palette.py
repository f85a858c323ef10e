"""The 256 colours that a GIF has, the same for all of its frames: one value keeps one colour while the film plays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["FilmPalette", "palette_of"]

COLOURS = 256
EXACT = 64
"""So many of the commonest colours are kept as they are: paper, letters, what most of a heat map is."""
_CHUNK = 4096


@final
@dataclass(frozen=True)
class FilmPalette:
    """Colours, and for each that was drawn the nearest of them."""

    colours: np.ndarray
    """(colours, 3), red, green and blue as uint8."""
    nearest: np.ndarray
    """(2 ** 24,), by the number that red, green and blue make."""

    def shown(self, image: Image) -> Image:
        """The image in these colours."""
        from PIL import Image as images

        picture = images.fromarray(self.nearest[_numbers(image)])
        picture.putpalette(self.colours.tobytes())
        return picture


def palette_of(frames: Iterable[Image]) -> FilmPalette:
    """Of all colours drawn in any frame; exact where they are no more than 256.

    Beyond the commonest, each distinct colour counts alike however little of it is drawn, so that a colour bar keeps
    both of its ends.
    """
    drawn, often = np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.int64)
    for frame in frames:
        more, times = np.unique(_numbers(frame), return_counts=True)
        drawn, where = np.unique(np.concatenate([drawn, more]), return_inverse=True)
        often = np.bincount(where, weights=np.concatenate([often, times]))
    colours = _chosen(_colours(drawn[np.argsort(-often, kind="stable")]))
    nearest = np.zeros(1 << 24, dtype=np.uint8)
    for start in range(0, len(drawn), _CHUNK):
        part = drawn[start : start + _CHUNK]
        apart = _colours(part)[:, None].astype(np.int32) - colours[None].astype(np.int32)
        nearest[part] = (apart**2).sum(2).argmin(1)
    return FilmPalette(colours, nearest)


def _chosen(colours: np.ndarray) -> np.ndarray:
    """At most 256 for these, of which the commonest come first."""
    if len(colours) <= COLOURS:
        return colours
    from PIL import Image
    from PIL.Image import Quantize

    kept, rest = colours[:EXACT], Image.fromarray(np.ascontiguousarray(colours[None, EXACT:]))
    palette: Any = rest.quantize(COLOURS - EXACT, method=Quantize.MAXCOVERAGE).getpalette()
    return np.concatenate([kept, np.array(palette, dtype=np.uint8).reshape(-1, 3)[: COLOURS - EXACT]])


def _numbers(image: Image) -> np.ndarray:
    red, green, blue = np.moveaxis(np.asarray(image, dtype=np.uint32), 2, 0)
    return (red << 16) | (green << 8) | blue


def _colours(numbers: np.ndarray) -> np.ndarray:
    return np.stack([numbers >> 16, numbers >> 8 & 255, numbers & 255], axis=1).astype(np.uint8)
