"""Routing over training: how decided, how used, how selective, how far from where it began."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope.figures.frame import figure, line, title
from miscope_lal.views.frame import LAYER, colour_of_head, dashed, head_name, layer_name, layers

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_STATISTICS, _ALIKE, _CLASSES = "routing.statistics", "routing.alike", "routing.classes"
_PATHS, _DRIFT = "routing.paths", "routing.drift"
_TOP, _BOTTOM = [0.56, 1], [0, 0.44]


def use(shown: ViewData) -> Figure:
    """Entropy of an input's routing weights by layer, up to ln n, and the mean weight of every head, around 1 / n."""
    arrays = shown.artifacts[_STATISTICS]
    steps, sites = arrays["step"], layers(arrays)
    heads = arrays[f"{sites[0]}/use"].shape[-1]
    traces = [dashed(steps, np.full(len(steps), np.log(heads)), f"undecided: ln {heads}")]
    for number, site in enumerate(sites):
        name, dash = layer_name(site), ("solid", "dot", "dash", "dashdot")[number % 4]
        hover = f"{name}: %{{y:.3f}} nats<extra></extra>"
        style = {"dash": dash, "width": 1.2}
        traces.append(line(steps, arrays[f"{site}/entropy"], name, OKABE_ITO[7], line=style, hovertemplate=hover))
    traces.append(line(steps, arrays["entropy"], "mean of layers", OKABE_ITO[0], hovertemplate="%{y:.3f} nats"))
    even = np.full(len(steps), 1 / heads)
    traces.append(dashed(steps, even, f"used alike: 1/{heads}", yaxis="y2"))
    for head in range(heads):
        mean = np.mean([arrays[f"{site}/use"][:, head] for site in sites], axis=0)
        name = head_name(sites[0], head) if len(sites) == 1 else f"H{head}, mean of layers"
        hover = f"{name}: %{{y:.3f}}<extra></extra>"
        traces.append(line(steps, mean, name, colour_of_head(head), yaxis="y2", hovertemplate=hover))
    layout: dict[str, Any] = {
        "title": title(shown, "How decided routing is, and which heads it uses"),
        "yaxis": {"title": {"text": "entropy, nats"}, "domain": _TOP, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": "mean weight"}, "domain": _BOTTOM, "rangemode": "tozero"},
        "showlegend": True,
    }
    return figure(traces, layout)


def alike(shown: ViewData, *, layer: str) -> Figure:
    """Share of routing's variance between inputs of one value of each column, beside shuffled inputs."""
    arrays = shown.artifacts[_ALIKE]
    steps, site = arrays["step"], _site(shown, _ALIKE, layer)
    columns = sorted(name.split("/")[1] for name in arrays if name.startswith(f"{site}/") and name.endswith("/alike"))
    traces = []
    for number, column in enumerate(columns):
        colour = OKABE_ITO[number % len(OKABE_ITO)]
        hover = f"same {column}: %{{y:.3f}}<extra></extra>"
        traces.append(line(steps, arrays[f"{site}/{column}/alike"], f"same {column}", colour, hovertemplate=hover))
        high = arrays[f"{site}/{column}/null"][:, 2]
        traces.append(
            line(
                *(steps, high, f"{column}, shuffled, 97.5 %", colour),
                line={"dash": "dash", "width": 1},
                hoverinfo="skip",
            )
        )
    layout: dict[str, Any] = {
        "title": title(shown, "Like inputs are routed alike", f"{layer}; dashed: inputs shuffled, 97.5 %"),
        "yaxis": {"title": {"text": "share of variance between groups"}, "range": [-0.02, 1.04]},
        "showlegend": True,
    }
    return figure(traces, layout)


def information(shown: ViewData) -> Figure:
    """Nats that the dominant head of each layer and the right answer have in common, beside shuffled answers."""
    arrays = shown.artifacts[_CLASSES]
    steps, traces = arrays["step"], []
    sites = layers(arrays)
    for number, site in enumerate(sites):
        name, colour = layer_name(site), OKABE_ITO[number % len(OKABE_ITO)]
        hover = f"{name}: %{{y:.3f}} nats<extra></extra>"
        traces.append(line(steps, arrays[f"{site}/information"], name, colour, hovertemplate=hover))
    high = np.max([arrays[f"{site}/information/null"][:, 2] for site in sites], axis=0)
    traces.append(dashed(steps, high, "answers shuffled, 97.5 %"))
    layout: dict[str, Any] = {
        "title": title(shown, "What the dominant head says of the answer"),
        "yaxis": {"title": {"text": "information, nats"}, "rangemode": "tozero"},
        "showlegend": True,
    }
    return figure(traces, layout)


def paths(shown: ViewData) -> Figure:
    """Number of distinct signatures, and the nats by which layers decide together, beside layers shuffled apart."""
    arrays = shown.artifacts[_PATHS]
    steps = arrays["step"]
    traces = [
        line(steps, arrays["number"], "paths taken", OKABE_ITO[0], hovertemplate="%{y} paths<extra></extra>"),
        dashed(steps, arrays["number/null"][:, 1], "layers shuffled apart, median"),
        line(
            *(steps, arrays["entropy"], "entropy of paths", OKABE_ITO[2]),
            yaxis="y2",
            hovertemplate="entropy %{y:.3f} nats<extra></extra>",
        ),
        line(
            *(steps, arrays["bound"], "layers have in common", OKABE_ITO[1]),
            yaxis="y2",
            hovertemplate="in common %{y:.3f} nats<extra></extra>",
        ),
        dashed(steps, arrays["bound/null"][:, 2], "the same, shuffled apart, 97.5 %", yaxis="y2"),
    ]
    layout: dict[str, Any] = {
        "title": title(shown, "Paths through the heads"),
        "yaxis": {"title": {"text": "signatures"}, "domain": _TOP, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": "nats"}, "domain": _BOTTOM, "rangemode": "tozero"},
        "showlegend": True,
    }
    return figure(traces, layout)


def drift(shown: ViewData) -> Figure:
    """Share of an input's routing weight that lies elsewhere than at the first and at the last checkpoint."""
    arrays = shown.artifacts[_DRIFT]
    steps, traces = shown.steps, []
    for number, site in enumerate(layers(arrays)):
        name, colour = layer_name(site), OKABE_ITO[number % len(OKABE_ITO)]
        for what, label, dash, axis in (
            ("from_first", "from the first", "solid", "y"),
            ("from_last", "from the last", "dot", "y"),
            ("moved", "from the one before", "solid", "y2"),
        ):
            hover = f"{name}, {label}: %{{y:.3f}}<extra></extra>"
            style = {"dash": dash}
            traces.append(
                line(
                    *(steps, arrays[f"{site}/{what}"], f"{name}, {label}", colour),
                    line=style,
                    yaxis=axis,
                    hovertemplate=hover,
                    legendgroup=name,
                    showlegend=axis == "y",
                )
            )
    layout: dict[str, Any] = {
        "title": title(shown, "How far routing has moved"),
        "yaxis": {"title": {"text": "distance"}, "domain": _TOP, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": "to the one before"}, "domain": _BOTTOM, "rangemode": "tozero"},
        "showlegend": True,
    }
    return figure(traces, layout)


def untrained(shown: ViewData) -> Figure:
    """The last checkpoint's routing beside that of untrained gates on the same stream, statistic by statistic."""
    arrays = shown.artifacts["routing.untrained"]
    names = [name.removesuffix("/null") for name in arrays if name.endswith("/null")]
    labels = [f"{layer_name(name)}: {name.split('hook_weights/')[1].replace('/', ', ')}" for name in names]
    null = [arrays[f"{name}/null"] for name in names]
    dots = {
        "type": "scatter",
        "mode": "markers",
        "name": "untrained gates",
        "x": np.concatenate(null),
        "y": np.repeat(labels, [len(one) for one in null]),
        "marker": {"color": NULL, "size": 6, "opacity": 0.6},
        "hovertemplate": "untrained: %{x:.3f}<extra></extra>",
    }
    here = {
        "type": "scatter",
        "mode": "markers",
        "name": "trained",
        "x": [float(arrays[name]) for name in names],
        "y": labels,
        "customdata": [float(arrays[f"{name}/p"]) for name in names],
        "marker": {"color": OKABE_ITO[1], "size": 11, "symbol": "diamond"},
        "hovertemplate": "%{y}: %{x:.3f}, p = %{customdata:.3f}<extra></extra>",
    }
    layout: dict[str, Any] = {
        "title": title(shown, "Routing beside that of untrained gates", "nats, or share of variance between groups"),
        "xaxis": {"title": {"text": "statistic"}},
        "yaxis": {"type": "category", "autorange": "reversed", "automargin": True},
        "showlegend": True,
    }
    return figure([dots, here], layout)


def _site(shown: ViewData, name: str, layer: str) -> str:
    return next(site for site in layers(shown.artifacts[name]) if layer_name(site) == layer)


def _over_training(name: str, heading: str, draw: Any, reads: str, **more: Any) -> View:
    needs = Needs(reads=(reads,))
    return View(name=name, title=heading, grain=Grain.TRAJECTORY, draw=draw, needs=needs, time_axis="x", **more)


VIEWS = (
    _over_training("routing.use", "Entropy of routing, and use of the heads", use, _STATISTICS),
    _over_training("routing.alike", "Like inputs are routed alike", alike, _ALIKE, controls=(LAYER,)),
    _over_training("routing.information", "What the dominant head says of the answer", information, _CLASSES),
    _over_training("routing.paths_over_training", "Paths through the heads over training", paths, _PATHS),
    _over_training("routing.drift", "How far routing has moved", drift, _DRIFT),
    View(
        name="routing.untrained",
        title="Routing beside that of untrained gates",
        grain=Grain.TRAJECTORY,
        draw=untrained,
        needs=Needs(reads=("routing.untrained",)),
    ),
)
