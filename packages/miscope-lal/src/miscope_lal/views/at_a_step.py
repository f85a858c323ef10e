"""Routing at one checkpoint: the paths taken, the heads of each answer, the frequencies of each head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import OKABE_ITO
from miscope.figures.frame import figure, title
from miscope_lal.views.frame import LAYER, colour_of_head, head_name, layer_name, layers

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_PATHS, _CLASSES, _CLUSTERS = "routing.paths", "routing.classes", "routing.clusters"
_MOST = 16


def paths(shown: ViewData) -> Figure:
    """The commonest signatures of dominant heads, and how many inputs take each."""
    arrays = shown.artifacts[_PATHS]
    heads, count = arrays["heads"][:_MOST], arrays["count"][:_MOST]
    names = ["-".join(map(str, row)) for row in heads.tolist()]
    bars = {
        "type": "bar",
        "x": names,
        "y": count,
        "marker": {"color": [colour_of_head(int(head)) for head in heads[:, -1]]},
        "hovertemplate": "heads %{x}: %{y} inputs<extra></extra>",
    }
    many = int(arrays["number"])
    note = f"{many} paths, entropy {float(arrays['entropy']):.2f} nats; in common {float(arrays['bound']):.2f} nats"
    note += f", p = {float(arrays['bound/p']):.3f}"
    first = f"the {_MOST} commonest; " if many > _MOST else ""
    layout: dict[str, Any] = {
        "title": title(shown, "Paths through the heads", note),
        "xaxis": {"type": "category", "title": {"text": f"{first}head of each layer, the first layer's first"}},
        "yaxis": {"title": {"text": "inputs"}, "rangemode": "tozero"},
        "showlegend": False,
    }
    return figure([bars], layout)


def classes(shown: ViewData, *, layer: str) -> Figure:
    """Mean routing weights of the inputs with each right answer, and how much they vary within it."""
    arrays = shown.artifacts[_CLASSES]
    site = _site(shown, _CLASSES, layer)
    answer, mean = arrays["answer"], arrays[f"{site}/mean"]
    weights = {
        "type": "heatmap",
        "x": answer,
        "y": [head_name(site, head) for head in range(mean.shape[1])],
        "z": mean.T,
        "coloraxis": "coloraxis",
        "hovertemplate": "answer %{x}, %{y}: %{z:.3f}<extra></extra>",
    }
    bars = {
        "type": "bar",
        "x": answer,
        "y": arrays[f"{site}/within"],
        "yaxis": "y2",
        "marker": {"color": OKABE_ITO[5]},
        "hovertemplate": "answer %{x}: %{y:.4f}<extra></extra>",
    }
    known, high = float(arrays[f"{site}/information"]), float(arrays[f"{site}/information/null"][2])
    p = float(arrays[f"{site}/information/p"])
    note = f"{layer}; {known:.3f} nats of the answer, shuffled up to {high:.3f}, p = {p:.3f}"
    bar = {"title": {"text": "mean weight"}, "len": 0.6, "y": 0.68}
    layout: dict[str, Any] = {
        "title": title(shown, "Routing by right answer", note),
        "coloraxis": {"colorscale": "Viridis", "autocolorscale": False, "cmin": 0, "cmax": 1, "colorbar": bar},
        "xaxis": {"title": {"text": "right answer"}, "showgrid": False, "anchor": "y2"},
        "yaxis": {"domain": [0.38, 1], "showgrid": False, "autorange": "reversed"},
        "yaxis2": {"domain": [0, 0.3], "title": {"text": "variance within"}, "rangemode": "tozero"},
        "showlegend": False,
    }
    return figure([weights, bars], layout)


def clusters(shown: ViewData, *, layer: str) -> Figure:
    """Neurons of each head by the frequency they respond to most, and how far heads and frequencies agree."""
    arrays = shown.artifacts[_CLUSTERS]
    site = _site(shown, _CLUSTERS, layer)
    table = arrays[f"{site}/neurons"]
    cells = {
        "type": "heatmap",
        "x": arrays[f"{site}/label"],
        "y": [head_name(site, head) for head in range(len(table))],
        "z": table,
        "coloraxis": "coloraxis",
        "hovertemplate": "%{y}, frequency %{x}: %{z} neurons<extra></extra>",
    }
    found = [
        f"{name} {float(arrays[f'{site}/{name}/agreement']):.3f} (p = {float(arrays[f'{site}/{name}/p']):.3f})"
        for name in ("neurons", "inputs", "answer")
        if f"{site}/{name}/agreement" in arrays
    ]
    bar = {"title": {"text": "neurons"}}
    most = max(1, int(np.max(table, initial=0)))
    layout: dict[str, Any] = {
        "title": title(shown, "Heads and frequencies", f"{layer}; agreement: {', '.join(found)}"),
        "coloraxis": {"colorscale": "Viridis", "autocolorscale": False, "cmin": 0, "cmax": most, "colorbar": bar},
        "xaxis": {"type": "category", "title": {"text": "frequency k"}, "showgrid": False},
        "yaxis": {"showgrid": False, "autorange": "reversed"},
    }
    return figure([cells], layout)


def _site(shown: ViewData, name: str, layer: str) -> str:
    return next(site for site in layers(shown.artifacts[name]) if layer_name(site) == layer)


VIEWS = (
    View(
        name="routing.paths",
        title="Paths through the heads",
        grain=Grain.CHECKPOINT,
        draw=paths,
        needs=Needs(reads=(_PATHS,)),
    ),
    View(
        name="routing.classes",
        title="Routing by right answer",
        grain=Grain.CHECKPOINT,
        draw=classes,
        needs=Needs(reads=(_CLASSES,)),
        controls=(LAYER,),
    ),
    View(
        name="routing.clusters",
        title="Heads and frequencies",
        grain=Grain.CHECKPOINT,
        draw=clusters,
        needs=Needs(reads=(_CLUSTERS,)),
        controls=(LAYER,),
    ),
)
