"""How many directions activations take up at a checkpoint and over training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope_views.figures import figure, line, panels, title
from miscope_views.named_arrays import choice_of, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "dimensions.activations"
_TICKS = [digit * 10**power for power in range(4) for digit in (1, 2, 3, 5)]
_QUANTITIES = {
    "participation ratio": "participation_ratio",
    "directions for 90 %": "dimensions_90",
    "directions for 99 %": "dimensions_99",
    "participation ratio between answers": "between_ratio",
    "participation ratio within answers": "within_ratio",
}


def activations(shown: ViewData, *, quantity: str) -> Figure:
    """How many directions each site's activations take up over training, and the share between the right answers."""
    arrays = shown.artifacts[_READS]
    steps, sites = arrays["step"], holders(arrays, _QUANTITIES[quantity])
    labelled = "between_null" in arrays
    upper, lower = panels((2, 1)) if labelled else ([0.0, 1.0], [0.0, 0.0])
    traces: list[dict[str, Any]] = []
    for i, site in enumerate(sites):
        shared = {"colour": OKABE_ITO[i % len(OKABE_ITO)], "legendgroup": site}
        at = f"at {shown.step_label} %{{x:,}}<extra></extra>"
        hover = f"{site}: {quantity} %{{y:.2f}} {at}"
        traces.append(line(steps, arrays[f"{site}/{_QUANTITIES[quantity]}"], site, **shared, hovertemplate=hover))
        if labelled:
            rest = {"yaxis": "y2", "showlegend": False, "hovertemplate": f"{site}: %{{y:.1%}} between answers {at}"}
            traces.append(line(steps, arrays[f"{site}/between_share"], site, **shared, **rest))
    layout: dict[str, Any] = {
        "title": title(shown, f"Dimensions of activations: {quantity}"),
        "yaxis": {"title": {"text": quantity}, "domain": upper, "type": "log", "tickvals": _TICKS},
        "showlegend": True,
    }
    if labelled:
        layout["yaxis2"] = {"title": {"text": "variance<br>between answers"}, "domain": lower, "range": [0, 1.02]}
        layout["yaxis2"]["tickformat"] = ".0%"
        layout["shapes"] = [_chance(float(arrays["between_null"][0]))]
    return figure(traces, layout)


def spectrum(shown: ViewData, *, site: str) -> Figure:
    """Share of a site's variance along each principal direction, beside the first checkpoint's."""
    now, over = shown.artifacts[_READS], shown.history[_READS]
    first = int(over["step"][0])
    shares = {
        f"at {shown.step_label} {first:,}": (_share(over[f"{site}/eigenvalue"][0], over[f"{site}/variance"][0]), NULL),
        f"at {shown.step_label} {shown.step:,}": (_share(now[f"{site}/eigenvalue"], now[f"{site}/variance"]), None),
    }
    traces = []
    for name, (share, colour) in shares.items():
        number = np.arange(1, len(share) + 1)
        drawn = np.where(share > 0, share, np.nan)
        hover = f"direction %{{x}}: %{{y:.2%}} of variance<br>{name}<extra></extra>"
        mark = {"marker": {"size": 4}, "mode": "lines+markers", "hovertemplate": hover}
        traces.append(line(number, drawn, name, colour or OKABE_ITO[0]) | mark)
    missing = sum(int(np.isnan(trace["y"]).sum()) for trace in traces)
    marks = [_holds(int(now[f"{site}/dimensions_{percent}"]), f"{percent} %") for percent in (90, 99)]
    ratio = float(now[f"{site}/participation_ratio"])
    layout = {
        "title": title(shown, f"Principal directions of {site}", f"participation ratio {ratio:.2f}"),
        "xaxis": {"title": {"text": "principal direction"}, "rangemode": "tozero"},
        "yaxis": {"title": {"text": "share of variance"}, "type": "log", "dtick": 1, "exponentformat": "power"},
        "shapes": [mark for mark in marks if mark["x0"] <= len(now[f"{site}/eigenvalue"])],
        "showlegend": True,
    }
    return figure(traces, layout, gaps=missing)


def _share(eigenvalue: np.ndarray, variance: np.ndarray) -> np.ndarray:
    return np.asarray(eigenvalue, dtype=np.float64) / float(variance) if float(variance) > 0 else 0.0 * eigenvalue


def _chance(height: float) -> dict[str, Any]:
    label = {"text": "random classes", "textposition": "end", "yanchor": "bottom"}
    place = {"xref": "paper", "yref": "y2", "x0": 0, "x1": 1, "y0": height, "y1": height}
    return {"type": "line", **place, "line": {"color": NULL, "width": 1, "dash": "dash"}, "label": label}


def _holds(count: int, text: str) -> dict[str, Any]:
    label = {"text": f"{count} hold {text}", "textposition": "end", "textangle": -90, "xanchor": "right"}
    place = {"xref": "x", "yref": "paper", "x0": count, "x1": count, "y0": 0, "y1": 1}
    return {"type": "line", **place, "line": {"width": 1, "dash": "dot"}, "label": {**label, "yanchor": "top"}}


def _quantities(shown: ViewData) -> list[str]:
    arrays = shown.artifacts[_READS]
    return [text for text, name in _QUANTITIES.items() if holders(arrays, name)]


VIEWS = (
    View(
        name="dimensions.activations",
        title="Dimensions of activations",
        synonyms=("participation ratio", "intrinsic dimension"),
        grain=Grain.TRAJECTORY,
        draw=activations,
        needs=Needs(reads=(_READS,)),
        controls=(Choice(name="quantity", options_from=_quantities),),
        time_axis="x",
    ),
    View(
        name="dimensions.spectrum",
        title="Principal directions of activations",
        synonyms=("PCA", "principal components", "explained variance", "scree plot"),
        grain=Grain.CHECKPOINT,
        draw=spectrum,
        needs=Needs(reads=(_READS,), history=(_READS,)),
        controls=(choice_of("site", _READS, "eigenvalue"),),
    ),
)
