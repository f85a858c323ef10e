"""Which component of the task basis each neuron follows: at a checkpoint, and how clusters form over training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of
from miscope.figures.selecting import selects
from miscope.view import SAME_SCALE
from miscope_views.figures import figure, line, panels, title
from miscope_views.named_arrays import basis_note, choice_of, first_row, ticked, unit_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["CLUSTERS_VIEW", "FREQUENCIES_VIEW"]

_SHARES, _CLUSTERS = "neurons.frequencies", "neurons.clusters"
_MOST_CLUSTERS = 10
_NULLS = {"initialisation": "at the start", "relabelled": "when relabelled"}
"""What the threshold of `neurons.clusters` is drawn from, in words."""
_ABOVE = {"y": 1, "yanchor": "bottom", "orientation": "h"}
_BAR = {**_ABOVE, "title": {"text": "share of variance", "side": "top"}, "x": 0, "xanchor": "left", "len": 0.4}
_BAR |= {"thickness": 8, "ypad": 2}
"""Colour bar of the left panel."""
_BINS = 40
"""Of the histogram, from 0 to 1."""
_MOST_SHARES = 2**17
"""Shares that are counted to find how high the histogram is over training, about."""


def frequencies(shown: ViewData, *, site: str, locked: bool) -> Figure:
    """How much of each neuron's variance every component explains, neurons by their final cluster, beside the null."""
    arrays, over_time = shown.artifacts[_SHARES], shown.history[_SHARES]
    share, labels = arrays[f"{site}/fraction"], arrays[f"{site}/label"]
    # Of the end in either case: neurons keep their places, and the axis its ticks, from step to step.
    clustered = _CLUSTERS in shown.artifacts
    final = shown.artifacts[_CLUSTERS][f"{site}/final"] if clustered else over_time[f"{site}/dominant"][-1]
    known = {name: place for place, name in enumerate(labels.tolist())}
    rank = np.array([known.get(name, len(known)) for name in final.tolist()])
    order = np.argsort(rank, kind="stable")
    unit = unit_of(shown, arrays, site)
    heat = {
        "type": "heatmap",
        "z": share[:, order],
        "y": labels.tolist(),
        "coloraxis": "coloraxis",
        "customdata": np.broadcast_to(order, share.shape),
        "hovertemplate": f"neuron %{{customdata}}<br>{unit} %{{y}}: %{{z:.3f}}<extra></extra>",
        "meta": selects({"neuron": "customdata"}, site=site),
    }
    now = _heights(arrays[f"{site}/max_fraction"][None], arrays[f"{site}/dead"][None])[0]
    layout: dict[str, Any] = {
        "title": title(shown, f"What explains the neurons of {site}", basis_note(arrays, site)),
        "xaxis": {"title": {"text": "neuron, by its final cluster"}, "domain": [0, 0.64], "showgrid": False},
        "yaxis": {"title": {"text": unit}, "type": "category", "tickvals": _ticks(final, labels), "showgrid": False},
        "coloraxis": {"cmin": 0, "cmax": 1, "colorbar": _BAR},
        "xaxis2": {"title": {"text": "largest share"}, "domain": [0.7, 1], "anchor": "y2", "range": [0, 1]},
        "yaxis2": {"title": {"text": "share of live neurons"}, "anchor": "x2", "side": "right", "automargin": True},
        "legend": {**_ABOVE, "x": 1, "xanchor": "right", "itemwidth": 30},
        "barmode": "overlay",
    }
    if locked:
        layout["yaxis2"]["range"] = [0, 1.05 * max(float(now.max()), _highest(over_time, site))]
    return figure([heat, *_before_training(shown, site), _histogram(now, "now", OKABE_ITO[0])], layout)


def clusters(shown: ViewData, *, site: str) -> Figure:
    """How many neurons are committed to each component over training, and to which each neuron is."""
    arrays = shown.artifacts[_CLUSTERS]
    labels, size = arrays[f"{site}/label"], arrays[f"{site}/size"]
    steps = shown.artifacts[_SHARES]["step"]
    strong = np.argsort(-size.max(axis=0), kind="stable")[:_MOST_CLUSTERS]
    strong = np.sort(strong[size.max(axis=0)[strong] >= max(2, 0.01 * size.sum(axis=1).max())])
    upper, lower = panels((1, 1.4))
    traces = [_size(steps, size[:, k], str(labels[k]), shown) for k in strong]
    threshold = float(arrays[f"{site}/threshold"])
    layout: dict[str, Any] = {
        "title": title(
            shown,
            f"Clusters of {site}",
            f"committed from a share of {threshold:.2f} on, which 0.1 % reach {_NULLS[str(arrays[f'{site}/null'][0])]}",
        ),
        "yaxis": {"title": {"text": "neurons committed"}, "domain": upper, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": "neuron, by final cluster"}, "domain": lower, "showgrid": False},
        "legend": {"title": {"text": unit_of(shown, _first(shown), site)}},
        "showlegend": True,
    }
    return figure([*traces, _map(shown, site, strong)], layout)


def _map(shown: ViewData, site: str, strong: np.ndarray) -> dict[str, Any]:
    """Neurons down, steps across; each in the colour of the component it is committed to, or blank."""
    arrays, shares = shown.artifacts[_CLUSTERS], shown.artifacts[_SHARES]
    labels = arrays[f"{site}/label"]
    committed = shares[f"{site}/max_fraction"] >= float(arrays[f"{site}/threshold"])
    colours = ["rgba(0,0,0,0)", "#BDBDBD", *(colour_of(str(labels[k])) for k in strong)]
    which = {str(labels[k]): place + 2 for place, k in enumerate(strong)}
    dominant = shares[f"{site}/dominant"]
    names = [which.get(name, 1) for name in dominant.ravel().tolist()]
    number = np.where(committed, np.array(names, dtype=np.int32).reshape(dominant.shape), 0)
    final = arrays[f"{site}/final"]
    rank = np.full(len(final), len(labels))
    for place, name in enumerate(labels.tolist()):
        rank[final == name] = place
    order = np.argsort(rank, kind="stable")
    steps, number = shares["step"], number[:, order]
    edges = np.arange(len(colours) + 1) / len(colours)
    scale = [[edge, colour] for i, colour in enumerate(colours) for edge in (edges[i], edges[i + 1])]
    return {
        "type": "heatmap",
        "x": steps,
        "z": number.T,
        "yaxis": "y2",
        "zmin": -0.5,
        "zmax": len(colours) - 0.5,
        "colorscale": scale,
        "showscale": False,
        # Shown nowhere: what its numbers are called where they are written to a file.
        "colorbar": {"title": {"text": "cluster: 0 none, 1 another, from 2 on as in the legend"}},
        "customdata": np.broadcast_to(order[:, None], number.T.shape),
        "hovertemplate": f"neuron %{{customdata}} at {shown.step_label} %{{x:,}}<extra></extra>",
        "meta": selects({"neuron": "customdata"}, site=site),
    }


def _size(steps: np.ndarray, size: np.ndarray, label: str, shown: ViewData) -> dict[str, Any]:
    hover = f"{label}: %{{y}} neurons at {shown.step_label} %{{x:,}}<extra></extra>"
    return line(steps, size, label, colour_of(label), hovertemplate=hover)


def _before_training(shown: ViewData, site: str) -> list[dict[str, Any]]:
    """The histogram's null, where there is a checkpoint from before training."""
    first = shown.history[_SHARES]
    if first["step"][0] != 0:
        return []
    height = _heights(first[f"{site}/max_fraction"][:1], first[f"{site}/dead"][:1])[0]
    return [_histogram(height, f"at {shown.step_label} 0", NULL)]


def _highest(over_time: Mapping[str, np.ndarray], site: str) -> float:
    """The highest bar over training; of very many checkpoints over some of them, evenly spread."""
    share, dead = over_time[f"{site}/max_fraction"], over_time[f"{site}/dead"]
    apart = -(-share.size // _MOST_SHARES)
    return float(_heights(share[::apart], dead[::apart]).max())


def _heights(share: np.ndarray, dead: np.ndarray) -> np.ndarray:
    """(T, bins) share of the live neurons whose largest share is in each bin. share, dead: (T, M)."""
    live = ~dead & np.isfinite(share)
    rows, _ = np.nonzero(live)
    places = np.clip(share[live] * _BINS, 0, _BINS - 1).astype(np.intp)
    count = np.bincount(rows * _BINS + places, minlength=len(share) * _BINS).reshape(len(share), _BINS)
    return count / np.maximum(count.sum(axis=1, keepdims=True), 1)


def _histogram(height: np.ndarray, name: str, colour: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "x": (np.arange(_BINS) + 0.5) / _BINS,
        "y": height,
        "width": 1 / _BINS,
        "name": name,
        "xaxis": "x2",
        "yaxis": "y2",
        "marker": {"color": colour, "line": {"width": 0}},
        "opacity": 0.65,
        "hovertemplate": f"{name}: %{{y:.1%}} of live neurons near %{{x:.2f}}<extra></extra>",
    }


def _ticks(final: np.ndarray, labels: np.ndarray) -> list[str]:
    """Components with at least 3 % of the neurons, or all where they are few."""
    return ticked(labels, np.array([k for k, name in enumerate(labels) if (final == name).mean() >= 0.03], dtype=int))


def _first(shown: ViewData) -> dict[str, np.ndarray]:
    arrays = shown.artifacts[_SHARES]
    return {name: first_row(arrays[name]) for name in arrays if name.endswith("/basis")}


_SITE = choice_of("site", _SHARES, "fraction")

FREQUENCIES_VIEW = View(
    name="neurons.frequencies",
    title="Neurons by component",
    synonyms=("frequency of neurons",),
    grain=Grain.CHECKPOINT,
    draw=frequencies,
    needs=Needs(reads=(_SHARES,), optional=(_CLUSTERS,), history=(_SHARES,), bases=("*",)),
    controls=(_SITE, SAME_SCALE),
    selects=("neuron", "site"),
)

CLUSTERS_VIEW = View(
    name="neurons.clusters",
    title="Neuron clusters over training",
    grain=Grain.TRAJECTORY,
    draw=clusters,
    needs=Needs(reads=(_SHARES, _CLUSTERS), bases=("*",)),
    controls=(_SITE,),
    selects=("neuron", "site"),
    time_axis="x",
)
