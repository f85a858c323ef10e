"""Which head each question takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.frame import figure, title
from miscope_lal.views.frame import colour_of_head, layer_name, layers, side_by_side

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MAP = "routing.map"


def dominant(shown: ViewData) -> Figure:
    """The head with the largest routing weight at every pair, layer by layer; the first factor goes down."""
    assert shown.probe is not None
    if len(shown.probe.grid) < 2:
        raise DoesNotApply("it needs a probe that enumerates two factors")
    arrays = shown.artifacts[_MAP]
    sites = layers(arrays)
    heads = arrays[f"{sites[0]}/weights"].shape[-1]
    domains, traces = side_by_side(len(sites)), []
    layout: dict[str, Any] = {
        "title": title(shown, "Dominant head", "of every question, by layer"),
        "coloraxis": _heads_axis(heads),
        "annotations": [
            {
                **{"text": layer_name(site), "x": sum(domain) / 2, "y": 1, "xref": "paper", "yref": "paper"},
                **{"xanchor": "center", "yanchor": "bottom", "showarrow": False},
            }
            for site, domain in zip(sites, domains, strict=True)
        ],
    }
    for number, (site, domain) in enumerate(zip(sites, domains, strict=True)):
        key = "" if number == 0 else str(number + 1)
        traces.append(_panel(arrays[f"{site}/dominant"], arrays[f"{site}/weights"], key, shown.probe.grid[-2:]))
        layout |= _axes(key, domain, shown.probe.grid[-2:], first=number == 0)
    if len(sites) == 1:  # amid a wide figure it would be far from its colour bar
        layout["xaxis"] |= {"constrain": "domain", "constraintoward": "right"}
    return figure(traces, layout)


def _panel(heads: np.ndarray, weights: np.ndarray, key: str, factors: tuple[str, ...]) -> dict[str, Any]:
    """One below the other where an operation comes before the operands."""
    taken = np.take_along_axis(weights, heads[..., None].astype(np.int64), axis=-1)[..., 0]
    row, column = factors
    return {
        "type": "heatmap",
        "z": heads.reshape(-1, heads.shape[-1]),
        "customdata": taken.reshape(-1, heads.shape[-1]),
        "xaxis": f"x{key}",
        "yaxis": f"y{key}",
        "coloraxis": "coloraxis",
        "hovertemplate": f"{row} %{{y}}, {column} %{{x}}<br>head %{{z}}, weight %{{customdata:.3f}}<extra></extra>",
    }


def _axes(key: str, domain: list[float], factors: tuple[str, ...], *, first: bool) -> dict[str, Any]:
    row, column = factors
    return {
        f"xaxis{key}": {"domain": domain, "anchor": f"y{key}", "showgrid": False, "title": {"text": column}},
        f"yaxis{key}": {
            **{"anchor": f"x{key}", "autorange": "reversed", "showgrid": False, "scaleanchor": f"x{key}"},
            **{"constrain": "domain", "title": {"text": row if first else ""}},
        },
    }


def _heads_axis(heads: int) -> dict[str, Any]:
    """A colour for each head, in steps."""
    edges = np.linspace(0, 1, heads + 1)
    scale = [[float(edges[i + end]), colour_of_head(i)] for i in range(heads) for end in (0, 1)]
    ticks = {"title": {"text": "head"}, "tickvals": list(range(heads)), "len": 0.7}
    return {"colorscale": scale, "autocolorscale": False, "cmin": -0.5, "cmax": heads - 0.5, "colorbar": ticks}


VIEWS = (
    View(
        name="routing.dominant",
        title="Dominant head of every question",
        grain=Grain.CHECKPOINT,
        draw=dominant,
        needs=Needs(reads=(_MAP,)),
    ),
)
