"""Small pictures of large maps, by area averaging: sampling instead would fold high frequencies onto low ones."""

from __future__ import annotations

import functools

import numpy as np

__all__ = ["area_average", "sheet"]


def area_average(maps: np.ndarray, size: int) -> np.ndarray:
    """Shrink the first two axes of maps (rows, columns, channels) to at most `size` each: (size, size, channels).

    Every small pixel is the mean over the area it covers, parts of large pixels included.
    """
    rows, columns, channels = maps.shape
    small = _overlaps(rows, min(size, rows)) @ maps.reshape(rows, columns * channels)
    small = small.reshape(-1, columns, channels)
    return np.einsum("tc,rcm->rtm", _overlaps(columns, min(size, columns)), small, optimize=True)


def sheet(thumbnails: np.ndarray, across: int, *, gutter: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Lay thumbnails (rows, columns, channels) out row by row, `across` in each: an image, and the place of each pixel.

    Both (height, width) float32 and int32; gutters and empty places are NaN and -1.
    """
    rows, columns, count = thumbnails.shape
    down = -(-count // across)
    image = np.full((down, rows + gutter, across, columns + gutter), np.nan, dtype=np.float32)
    which = np.full(image.shape, -1, dtype=np.int32)
    for place in range(count):
        i, j = divmod(place, across)
        image[i, :rows, j, :columns] = thumbnails[:, :, place]
        which[i, :rows, j, :columns] = place
    height, width = down * (rows + gutter), across * (columns + gutter)
    return image.reshape(height, width)[: height - gutter, : width - gutter], which.reshape(height, width)[
        : height - gutter, : width - gutter
    ]


@functools.cache
def _overlaps(large: int, small: int) -> np.ndarray:
    """(small, large): which share of each small pixel every large pixel covers; rows sum to 1."""
    edges = np.arange(small + 1) * large / small
    starts = np.arange(large)
    covered = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    return (np.maximum(covered, 0) * small / large).astype(np.float32)
