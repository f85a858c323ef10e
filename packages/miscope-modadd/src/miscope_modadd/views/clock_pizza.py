"""Clock or pizza over training, and the path between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import NULL, OKABE_ITO, ON_A_PATH
from miscope.figures.frame import figure, line, title
from miscope_modadd.views.band import band

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "clocks.pizza"
_IRRELEVANCE, _SYMMETRY = "distance_irrelevance", "gradient_symmetricity"
_PUBLISHED = {"clock: model B": (0.85, 0.33), "pizza: model A": (0.17, 0.99)}
"""Zhong et al. 2023: (irrelevance, symmetricity)."""


def over_training(shown: ViewData) -> Figure:
    """Distance irrelevance and gradient symmetricity over training: which of two ways of adding."""
    arrays = shown.artifacts[_READS]
    steps = arrays["step"]
    at = f"at {shown.step_label} %{{x:,}}<extra></extra>"
    traces = [
        line(
            steps,
            arrays[_IRRELEVANCE],
            "distance irrelevance",
            OKABE_ITO[0],
            hovertemplate=f"irrelevance %{{y:.3f}} {at}",
        )
    ]
    if _SYMMETRY in arrays:
        mean, sem = arrays[_SYMMETRY], arrays[f"{_SYMMETRY}/sem"]
        traces += band(steps, mean - 1.96 * sem, mean + 1.96 * sem, "rgba(213,94,0,0.25)")
        hover = f"symmetricity %{{y:.3f}} {at}"
        traces.append(line(steps, mean, "gradient symmetricity", OKABE_ITO[1], hovertemplate=hover))
    layout = {
        "title": title(shown, "Clock or pizza", "clock: irrelevance high, symmetricity low; pizza: the reverse"),
        "yaxis": {"title": {"text": "measure"}, "range": [_least(arrays), 1.04]},
        "showlegend": True,
    }
    return figure(traces, layout)


def plane(shown: ViewData) -> Figure:
    """The path of training through the plane of both measures, beside the published clock and pizza."""
    arrays = shown.artifacts[_READS]
    if _SYMMETRY not in arrays:
        reason = "it adds both embeddings before anything else, so that its gradients are alike by construction"
        raise DoesNotApply(reason)
    steps, x, y = arrays["step"], arrays[_IRRELEVANCE], arrays[_SYMMETRY]
    hover = f"{shown.step_label} %{{customdata:,}}<br>irrelevance %{{x:.3f}}<br>symmetricity %{{y:.3f}}<extra></extra>"
    bar = {"title": {"text": shown.step_label}, "tickformat": ","}
    path = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": x,
        "y": y,
        "customdata": steps,
        "line": {"color": NULL, "width": 1},
        "marker": {"color": steps, "size": 6, "colorscale": list(ON_A_PATH), "showscale": True, "colorbar": bar},
        "hovertemplate": hover,
    }
    ends = {
        "type": "scatter",
        "mode": "text",
        "x": x[[0, -1]],
        "y": y[[0, -1]],
        "text": [f"{shown.step_label} {steps[0]:,}", f"{steps[-1]:,}"],
        "textposition": ["bottom left", "top right"],
        "hoverinfo": "skip",
    }
    layout = {
        "title": title(shown, "From clock to pizza", "diamonds: Zhong et al. 2023"),
        "xaxis": {"title": {"text": "distance irrelevance"}, "range": [min(0, float(x.min())), 1.05]},
        "yaxis": {"title": {"text": "gradient symmetricity"}, "range": [min(_least(arrays), -0.05), 1.08]},
        "showlegend": False,
    }
    return figure([path, ends, _published()], layout)


def _least(arrays: Any) -> float:
    values = np.concatenate([arrays[name] for name in (_IRRELEVANCE, _SYMMETRY) if name in arrays])
    return min(0.0, 1.05 * float(values.min()))


def _published() -> dict[str, Any]:
    x, y = zip(*_PUBLISHED.values(), strict=True)
    place = {"type": "scatter", "mode": "markers+text", "x": x, "y": y, "text": list(_PUBLISHED)}
    mark = {"symbol": "diamond", "size": 10, "color": OKABE_ITO[7]}
    return {**place, "textposition": ["bottom center", "bottom right"], "marker": mark, "hoverinfo": "text"}


VIEWS = (
    View(
        name="clocks.pizza",
        title="Clock or pizza",
        synonyms=("trigonometric identity algorithms",),
        grain=Grain.TRAJECTORY,
        draw=over_training,
        needs=Needs(reads=(_READS,), grid=2),
        time_axis="x",
    ),
    View(
        name="clocks.plane",
        title="Path between clock and pizza",
        grain=Grain.TRAJECTORY,
        draw=plane,
        needs=Needs(reads=(_READS,), grid=2),
    ),
)
