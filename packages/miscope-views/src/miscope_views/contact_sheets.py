"""Many small pictures as one image: laid out in pages, named where the cursor is, marked with a colour each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from miscope import Choice, ViewData
from miscope.errors import BadValue
from miscope.figures.selecting import selects
from miscope_views.figures import figure
from miscope_views.thumbnails import area_average, sheet

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = [
    "ACROSS",
    "AMOUNT",
    "PAGE",
    "RESOLUTION",
    "Pictures",
    "contact_figure",
    "maps_of",
    "page_of",
    "refuse_beyond",
    "room",
]

PAGE, ACROSS = 128, 14
"""Pictures on a page, and in a row."""

RESOLUTION = Choice(name="pixels", options=("16", "28", "64"), default="28", label="pixels")

AMOUNT = Choice(name="amount", options=(str(PAGE), "all"), label="on a page")

_GUTTER = 3

_BAR: dict[str, Any] = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "ypad": 2}
_BAR |= {"thickness": 8, "len": 0.5}
"""Above the pictures, to which it leaves their width."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Pictures:
    """What a page shows."""

    maps: np.ndarray
    """(rows, columns, M)."""
    names: Sequence[str]
    """What is said of each where the cursor is."""
    number: np.ndarray
    """(M,) number of each unit."""
    site: str
    """Whose units they are."""
    colours: Sequence[str] | None = None
    """A dot's colour for each; None for no dots."""
    across: int = ACROSS
    """Pictures in a row."""


def contact_figure(shown: Pictures, title: dict[str, Any], *, own_scale: bool, pixels: int) -> Figure:
    """The page: area averages, an unseen named point in the middle of each, a dot below it."""
    maps = shown.maps
    most = np.abs(maps).max(axis=(0, 1))
    scale = np.where(most > 0, most, 1) if own_scale else float(most.max()) or 1.0
    image, places = sheet(area_average(maps, pixels) / scale, shown.across, gutter=_GUTTER)
    unit = "of its own largest activation" if own_scale else "of the largest activation on the page"
    heat = {"type": "heatmap", "z": image, "coloraxis": "coloraxis", "hoverinfo": "skip"}
    bare = {"visible": False, "showgrid": False}
    layout: dict[str, Any] = {
        "title": title,
        "coloraxis": {
            "cmin": 0.0 if maps.min() >= 0 else -1.0,
            "cmax": 1,
            "colorbar": {**_BAR, "title": {"text": unit, "side": "top"}},
        },
        "xaxis": {**bare, "constrain": "domain"},
        "yaxis": {**bare, "autorange": "reversed", "scaleanchor": "x", "constrain": "domain", "constraintoward": "top"},
        "margin": {"l": 20, "r": 20, "b": 12},
        "showlegend": False,
        "hovermode": "closest",
        "hoverdistance": 60,
    }
    return figure([heat, *_points(shown, pixels)], layout, gaps=int((places < 0).sum()))


def empty_sheet(title: dict[str, Any], reason: str) -> Figure:
    """The page where nothing passes the filter: the sentence that says so."""
    bare = {"visible": False, "showgrid": False}
    words = {"type": "scatter", "mode": "text", "x": [0], "y": [0], "text": [reason], "hoverinfo": "skip"}
    return figure([words], {"title": title, "xaxis": bare, "yaxis": bare, "showlegend": False})


def _points(shown: Pictures, pixels: int) -> list[dict[str, Any]]:
    rows, columns, count = shown.maps.shape
    height, width = min(rows, pixels), min(columns, pixels)
    down, across = np.divmod(np.arange(count), shown.across)
    top, left = down * (height + _GUTTER), across * (width + _GUTTER)
    middle = {"x": left + width / 2, "y": top + height / 2, "text": list(shown.names), "customdata": shown.number}
    unseen = {"type": "scatter", "mode": "markers", "marker": {"size": 20}, "opacity": 0}
    unseen |= {**middle, "hovertemplate": "%{text}<extra></extra>"}
    unseen["meta"] = selects({"neuron": "customdata"}, cell=(width + 1, height + 1), site=shown.site)
    if shown.colours is None:
        return [unseen]
    mark = {"size": 5, "color": list(shown.colours), "symbol": "square"}
    dots = {"type": "scatter", "mode": "markers", "marker": mark, "hoverinfo": "skip"}
    return [{**dots, "x": left + 1, "y": top + height + 1}, unseen]


def room(amount: str, count: int) -> tuple[int, int]:
    """Pictures on a page, and in a row: half as wide again as high where all are on one."""
    return (max(count, 1), max(ACROSS, math.ceil((1.5 * count) ** 0.5))) if amount == "all" else (PAGE, ACROSS)


def page_of(order: np.ndarray, page: int, what: str, size: int = PAGE) -> np.ndarray:
    """The units of a page, counted from 1; a page beyond the last is refused."""
    chosen = order[(page - 1) * size : page * size]
    if not len(chosen):
        fill = f"{len(order)} neurons fill {-(-len(order) // size)}."
        raise BadValue(f"{what} has no page {page}.", f"Its {fill}", "Give page=1.")
    return chosen


def refuse_beyond(site: str, neuron: int, size: int) -> None:
    """Raises BadValue for a neuron that a site of so many does not have."""
    if neuron >= size:
        known, todo = f"It has {size}, counted from 0.", f"Give neuron=0 to {size - 1}."
        raise BadValue(f"{site} has no neuron {neuron}.", known, todo)


def maps_of(shown: ViewData, site: str, channels: Sequence[int] | None) -> np.ndarray:
    """Activations of some channels on the factor grid, (rows, columns, channels); None: of all."""
    assert shown.probe is not None
    assert shown.activations is not None
    size = shown.channels[site]
    if channels is not None:
        refuse_beyond(site, max(channels), size)
    values = shown.activations(site, None if channels is None else list(channels)).numpy()
    return values.reshape(*shown.probe.shape, values.shape[-1])
