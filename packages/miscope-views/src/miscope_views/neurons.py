"""What single neurons respond to, which component of the task basis each follows, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Number, Shown, Toggle, View
from miscope.errors import BadValue
from miscope.figure_style import NULL, colour_of
from miscope_views.clusters import CLUSTERS_VIEW, FREQUENCIES_VIEW
from miscope_views.figures import figure, grid_axes, title
from miscope_views.neuron_dynamics import DYNAMICS_VIEWS
from miscope_views.thumbnails import area_average, sheet

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_POST = "blocks.*.mlp.hook_post"
_SHARES, _CLUSTERS = "neurons.frequencies", "neurons.clusters"

_PAGE, _ACROSS, _PIXELS, _GUTTER = 128, 16, 28, 3
_SITE = Choice(name="site", options_from=lambda shown: shown.sites)
_NEURON = Number(name="neuron", default=0, maximum_from=lambda shown: _widest(shown) - 1)
_PAGES = Number(name="page", default=1, minimum=1, maximum_from=lambda shown: -(-_widest(shown) // _PAGE))


def heatmap(shown: Shown, *, site: str, neuron: int, locked: bool) -> Figure:
    """Activation of one neuron for every pair of factor values."""
    values = _grid_of(shown, site, [neuron])[:, :, 0]
    assert shown.probe is not None
    row, column = shown.probe.grid
    arrays = shown.history.get(_SHARES) if _SHARES in shown.history else None
    least, most = float(values.min()), float(values.max())
    if locked and arrays is not None:
        least, most = (
            float(find(arrays[f"{site}/{name}"][:, neuron])) for name, find in (("low", np.min), ("high", np.max))
        )
    low, most = (0.0, most or 1.0) if least >= 0 else (-max(-least, most), max(-least, most))
    layout: dict[str, Any] = {
        "title": title(shown, f"Neuron {neuron} of {site}", _said_of(shown, site, neuron)),
        "coloraxis": {"cmin": low, "cmax": most, "colorbar": {"title": {"text": "activation"}}},
        **grid_axes(shown),
    }
    hover = f"{row} = %{{y}}, {column} = %{{x}}<br>activation %{{z:.4g}}<extra></extra>"
    return figure([{"type": "heatmap", "z": values, "coloraxis": "coloraxis", "hovertemplate": hover}], layout)


def contact_sheet(shown: Shown, *, site: str, page: int, sort: str, own_scale: bool) -> Figure:
    """Small pictures of many neurons at once, with a dot in the colour of each one's component."""
    order = _order(shown, site, sort)
    chosen = order[(page - 1) * _PAGE : page * _PAGE]
    if not len(chosen):
        raise BadValue(
            f"{site} has no page {page}.", f"Its {len(order)} neurons fill {-(-len(order) // _PAGE)}.", "Give page=1."
        )
    maps = _grid_of(shown, site, chosen.tolist())
    most = np.abs(maps).max(axis=(0, 1))
    scale = np.where(most > 0, most, 1) if own_scale else float(most.max()) or 1.0
    image, places = sheet(area_average(maps, _PIXELS) / scale, _ACROSS, gutter=_GUTTER)
    low = 0.0 if maps.min() >= 0 else -1.0
    unit = "of its own largest activation" if own_scale else "of the largest activation on the page"
    pixels = {"type": "heatmap", "z": image, "coloraxis": "coloraxis", "hoverinfo": "skip"}
    bare = {"visible": False, "showgrid": False}
    layout: dict[str, Any] = {
        "title": title(shown, f"Neurons of {site}, by {sort}", f"page {page} of {-(-len(order) // _PAGE)}"),
        "coloraxis": {"cmin": low, "cmax": 1, "colorbar": {"title": {"text": unit}}},
        "xaxis": {**bare, "constrain": "domain"},
        "yaxis": {**bare, "autorange": "reversed", "scaleanchor": "x", "constrain": "domain"},
        "showlegend": False,
        "hovermode": "closest",
        "hoverdistance": 60,
    }
    traces = [pixels, *_names(shown, site, chosen, image.shape)]
    return figure(traces, layout, gaps=int((places < 0).sum()))


def _names(shown: Shown, site: str, chosen: np.ndarray, shape: tuple[int, ...]) -> list[dict[str, Any]]:
    """An unseen point in the middle of each picture that says which neuron it is, and a dot in its cluster's colour."""
    rows, columns = shown.probe.shape if shown.probe is not None else shape
    height, width = min(rows, _PIXELS), min(columns, _PIXELS)
    down, across = np.divmod(np.arange(len(chosen)), _ACROSS)
    top, left = down * (height + _GUTTER), across * (width + _GUTTER)
    said = [f"neuron {neuron}<br>{_said_of(shown, site, int(neuron))}" for neuron in chosen]
    middle = {"x": left + width / 2, "y": top + height / 2, "text": said, "customdata": chosen, "opacity": 0}
    unseen = {"type": "scatter", "mode": "markers", "marker": {"size": 20}, "hovertemplate": "%{text}<extra></extra>"}
    labels = _labels(shown, site)
    if labels is None:
        return [unseen | middle]
    colours = [colour_of(str(labels[neuron])) if labels[neuron] else NULL for neuron in chosen]
    dots = {"type": "scatter", "mode": "markers", "marker": {"size": 5, "color": colours, "symbol": "square"}}
    return [{**dots, "x": left + 1, "y": top + height + 1, "hoverinfo": "skip"}, unseen | middle]


def _order(shown: Shown, site: str, sort: str) -> np.ndarray:
    """Neurons in the order of the sheet: (M,) indices."""
    count = shown.channels[site]
    if sort == "index":
        return np.arange(count)
    arrays = shown.artifacts[_SHARES]
    if sort == "variance":
        return np.argsort(-arrays[f"{site}/variance"], kind="stable")
    now = arrays[f"{site}/dominant"]
    label = shown.artifacts[_CLUSTERS][f"{site}/final"] if sort == "final cluster" else now
    known = {name: place for place, name in enumerate(arrays[f"{site}/label"].tolist())}
    rank = np.array([known.get(name, len(known)) for name in label.tolist()])
    # Among the like, the same order at every step where the cluster is the final one: pictures keep their places.
    return np.argsort(rank, kind="stable") if sort == "final cluster" else np.lexsort((-_share(arrays, site), rank))


def _share(arrays: Mapping[str, np.ndarray], site: str) -> np.ndarray:
    return arrays[f"{site}/max_fraction"]


def _sorts(shown: Shown) -> tuple[str, ...]:
    final = ("final cluster",) if _CLUSTERS in shown.artifacts and _SHARES in shown.artifacts else ()
    return (*final, *(("cluster", "variance") if _SHARES in shown.artifacts else ()), "index")


def _labels(shown: Shown, site: str) -> np.ndarray | None:
    return shown.artifacts[_SHARES][f"{site}/dominant"] if _SHARES in shown.artifacts else None


def _said_of(shown: Shown, site: str, neuron: int) -> str:
    """'frequency k 14 explains 91 %', where that was computed."""
    if _SHARES not in shown.artifacts:
        return ""
    arrays = shown.artifacts[_SHARES]
    label = str(arrays[f"{site}/dominant"][neuron])
    return f"{label} explains {_share(arrays, site)[neuron]:.0%} of its variance" if label else "dead"


def _grid_of(shown: Shown, site: str, channels: list[int]) -> np.ndarray:
    """Activations of some channels on the factor grid, (rows, columns, channels)."""
    assert shown.probe is not None
    assert shown.activations is not None
    size = shown.channels[site]
    if max(channels) >= size:
        raise BadValue(
            f"{site} has no neuron {max(channels)}.",
            f"It has {size}, counted from 0.",
            f"Give neuron=0 to {size - 1}.",
        )
    values = shown.activations(site, channels).numpy()
    return values.reshape(*shown.probe.shape, len(channels))


def _widest(shown: Shown) -> int:
    return max(shown.channels.values(), default=1)


VIEWS = (
    View(
        name="neurons.heatmap",
        title="Activation of one neuron",
        grain=Grain.CHECKPOINT,
        draw=heatmap,
        optional=(_SHARES,),
        history=(_SHARES,),
        sites=(_POST,),
        grid=2,
        controls=(_SITE, _NEURON, Toggle(name="locked", default=True, label="same scale at every step")),
    ),
    View(
        name="neurons.contact_sheet",
        title="Activations of many neurons",
        grain=Grain.CHECKPOINT,
        draw=contact_sheet,
        optional=(_SHARES, _CLUSTERS),
        sites=(_POST,),
        grid=2,
        controls=(
            _SITE,
            _PAGES,
            Choice(name="sort", options_from=_sorts, label="order"),
            Toggle(name="own_scale", default=True, label="each on its own scale"),
        ),
    ),
    FREQUENCIES_VIEW,
    CLUSTERS_VIEW,
    *DYNAMICS_VIEWS,
)
