"""One map a head, side by side in rows."""

from __future__ import annotations

import math
from typing import Any

from miscope_views.figures import panels

__all__ = ["above", "across", "cell", "map_axes"]

_MOST_ACROSS = 4
"""Heads side by side."""


def across(count: int) -> int:
    """Heads in a row: as many as there are rows, or nearly, so that each map is large in a card of any shape."""
    return min(_MOST_ACROSS, math.isqrt(max(count - 1, 0)) + 1)


def cell(head: int, count: int) -> tuple[list[float], list[float]]:
    """Horizontal and vertical domain of a head's map, row by row."""
    wide = across(count)
    rows = -(-count // wide)
    row, place = divmod(head, wide)
    gap = 0.09  # for the numbers of the map to the right
    width = (1 - gap * (wide - 1)) / wide
    left = place * (width + gap)
    return [left, min(left + width, 1.0)], panels([1.0] * rows, 0.16)[row]


def map_axes(suffix: str, place: tuple[list[float], list[float]], row: str, column: str) -> dict[str, Any]:
    common = {"showgrid": False, "constrain": "domain", "constraintoward": "top", "nticks": 4}
    x = {**common, "constraintoward": "center", "domain": place[0], "anchor": f"y{suffix}", "title": {"text": column}}
    y = {**common, "domain": place[1], "anchor": f"x{suffix}", "title": {"text": row}}
    return {f"xaxis{suffix}": x, f"yaxis{suffix}": {**y, "autorange": "reversed", "scaleanchor": f"x{suffix}"}}


def above(text: str, place: tuple[list[float], list[float]]) -> dict[str, Any]:
    at = {"x": sum(place[0]) / 2, "y": place[1][1], "xref": "paper", "yref": "paper"}
    return {"text": text, **at, "xanchor": "center", "yanchor": "bottom", "showarrow": False}
