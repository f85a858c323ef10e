"""Which roles heads play on repeated tokens, how they differ from one another, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope.view import SAME_SCALE
from miscope_views.figures import figure, line, panels, title
from miscope_views.head_names import head_colour, head_dash, head_name, layer_of
from miscope_views.head_trees import tree_view
from miscope_views.named_arrays import first_row, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_ROLES, _DISTANCES, _PARTED = "heads.roles", "heads.distances", "heads.differentiation"
_MEASURES = {"attention pattern": "pattern", "output": "output", "QK circuit": "QK", "OV circuit": "OV"}
_MOST_NUMBERS = 12
"""Heads beyond which numbers in the cells of a matrix cannot be read."""
_BAND = "rgba(154,154,154,0.3)"
_WITHOUT = "without the role"


def roles(shown: ViewData, *, locked: bool) -> Figure:
    """How much of every head's attention serves each role, beside what a head without the role would give."""
    arrays = shown.artifacts[_ROLES]
    sites, labels = holders(arrays, "score"), arrays["label"].tolist()
    score, sem, null = (np.concatenate([arrays[f"{s}/{what}"] for s in sites], 1) for what in ("score", "sem", "null"))
    names = [head_name(site, head) for site in sites for head in range(arrays[f"{site}/score"].shape[1])]
    over = shown.history[_ROLES] if locked else arrays
    most = 1.1 * max(float(np.max(over[f"{site}/score"])) for site in sites)
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "title": title(shown, "Roles of heads on repeated tokens", _periods(arrays)),
        "xaxis": {"type": "category", "title": {"text": "head"}, "anchor": f"y{len(labels)}", "showgrid": False},
        "annotations": [],
        "barmode": "overlay",
        "showlegend": True,
        "bargap": 0.25,
    }
    for i, (label, domain) in enumerate(zip(labels, panels([1.0] * len(labels), 0.06), strict=True)):
        y = "y" if i == 0 else f"y{i + 1}"
        hover = f"%{{x}}: {label} %{{y:.3f}} ± %{{error_y.array:.3f}} of attention<extra></extra>"
        bar = {"type": "bar", "x": names, "y": score[i], "yaxis": y, "showlegend": False, "hovertemplate": hover}
        error = {"type": "data", "array": sem[i], "thickness": 1, "width": 2, "color": NULL}
        traces.append({**bar, "error_y": error, "marker": {"color": OKABE_ITO[i % len(OKABE_ITO)]}})
        traces.append(_without_role(names, null[i], y, first=i == 0))
        axis = {"domain": domain, "range": [0, most], "nticks": 3, "title": {"text": "attention" if i == 0 else ""}}
        layout["yaxis" if i == 0 else f"yaxis{i + 1}"] = axis
        place = {"x": 0.01, "y": domain[1], "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "top"}
        layout["annotations"].append({"text": label, **place, "showarrow": False})
    return figure(traces, layout)


def roles_over_training(shown: ViewData, *, role: str) -> Figure:
    """How much of every head's attention serves one role over training, above what heads without the role give."""
    arrays = shown.artifacts[_ROLES]
    sites, steps = holders(arrays, "score"), arrays["step"]
    row = first_row(arrays["label"]).tolist().index(role)
    upper, lower = panels((3, 1))
    null = np.concatenate([arrays[f"{site}/null"][:, row] for site in sites], axis=1)
    edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0, "color": NULL}, "hoverinfo": "skip"}
    traces: list[dict[str, Any]] = [
        {**edge, "y": null.min(axis=1), "showlegend": False},
        {**edge, "y": null.max(axis=1), "name": _WITHOUT, "fill": "tonexty", "fillcolor": _BAND},
    ]
    for site in sites:
        score = arrays[f"{site}/score"][:, row]
        for head in range(score.shape[1]):
            name, dash = head_name(site, head), {"dash": head_dash(site)}
            hover = f"{name}: %{{y:.3f}} of attention at {shown.step_label} %{{x:,}}<extra></extra>"
            traces.append(line(steps, score[:, head], name, head_colour(head), line=dash, hovertemplate=hover))
    gain = line(steps, arrays["gain"], "gain", OKABE_ITO[7], yaxis="y2", showlegend=False)
    traces.append({**gain, "hovertemplate": f"%{{y:.3f}} nats at {shown.step_label} %{{x:,}}<extra></extra>"})
    layout = {
        "title": title(shown, f"Heads' role over training: {role}", _periods(arrays)),
        "yaxis": {"title": {"text": "attention"}, "domain": upper, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": "loss gained<br>by the repeat (nats)"}, "domain": lower},
        "showlegend": True,
    }
    return figure(traces, layout)


def similarity(shown: ViewData, *, layer: str, measure: str) -> Figure:
    """How far every two heads of a layer are apart at this step."""
    arrays = shown.artifacts[_DISTANCES]
    name = f"{layer}/{_MEASURES[measure]}"
    matrix = np.asarray(arrays[name], dtype=np.float64)
    names = [head_name(layer, head) for head in range(len(matrix))]
    most = float(np.nanmax(shown.history[_DISTANCES][name], initial=0.0)) or 1.0
    hover = "%{y} and %{x}: %{z:.3f}<extra></extra>"
    heat = {"type": "heatmap", "x": names, "y": names, "z": matrix, "coloraxis": "coloraxis", "xgap": 2, "ygap": 2}
    heat |= {"texttemplate": "%{z:.2f}" if len(names) <= _MOST_NUMBERS else "", "hovertemplate": hover}
    count = float(arrays[f"{name}/heads"])
    layout = {
        "title": title(shown, f"Distance between heads: {measure}", f"{count:.2f} heads in effect of {len(names)}"),
        "coloraxis": {"cmin": 0, "cmax": most, "colorbar": {"title": {"text": "distance"}}},
        "xaxis": {"type": "category", "showgrid": False, "constrain": "domain"},
        "yaxis": {"type": "category", "showgrid": False, "autorange": "reversed", "scaleanchor": "x"},
    }
    layout["yaxis"]["constrain"] = "domain"
    return figure([heat], layout)


def differentiation(shown: ViewData, *, measure: str) -> Figure:
    """How far the heads of each layer are apart over training, and how many there are in effect; grey: at first."""
    arrays, parted = shown.artifacts[_DISTANCES], shown.artifacts.get(_PARTED, {})
    steps, name = arrays["step"], _MEASURES[measure]
    layers = holders(arrays, f"{name}/mean")
    first = np.concatenate([_pairs(arrays[f"{layer}/{name}"])[0] for layer in layers])
    edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0, "color": NULL}, "hoverinfo": "skip"}
    traces: list[dict[str, Any]] = []
    if len(first):
        low, high = (np.full(len(steps), value) for value in (first.min(), first.max()))
        band = {"name": f"pairs at {shown.step_label} {int(steps[0]):,}", "fill": "tonexty", "fillcolor": _BAND}
        traces = [{**edge, "y": low, "showlegend": False}, {**edge, "y": high, **band}]
    for layer in layers:
        number = layer_of(layer)
        colour, step = OKABE_ITO[number % len(OKABE_ITO)], float(parted.get(f"{layer}/{name}/parted", np.nan))
        label = f"layer {number}" + (f", apart from {step:,.0f}" if np.isfinite(step) else "")
        at = f"at {shown.step_label} %{{x:,}}<extra></extra>"
        hover = {"hovertemplate": f"layer {number}: mean distance %{{y:.3f}} {at}", "legendgroup": layer}
        traces.append(line(steps, arrays[f"{layer}/{name}/mean"], label, colour, **hover))
        more = {"yaxis": "y2", "showlegend": False, "hovertemplate": f"%{{y:.2f}} heads in effect {at}"}
        traces.append(line(steps, arrays[f"{layer}/{name}/heads"], label, colour, **hover | more))
    upper, lower = panels((3, 2))
    most = max(arrays[f"{layer}/{name}"].shape[-1] for layer in layers)
    layout = {
        "title": title(shown, f"Differentiation of heads: {measure}"),
        "yaxis": {"title": {"text": "mean distance<br>between two heads"}, "domain": upper, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": "heads in effect"}, "domain": lower, "range": [0.9, 1.05 * most]},
        "showlegend": True,
    }
    return figure(traces, layout)


def _pairs(matrices: np.ndarray) -> np.ndarray:
    """(T, pairs) of (T, H, H)."""
    return matrices[:, *np.triu_indices(matrices.shape[-1], 1)]


def _layers(shown: ViewData) -> Sequence[str]:
    return holders(shown.artifacts[_DISTANCES], "pattern/mean")


def _without_role(names: list[str], null: np.ndarray, y: str, *, first: bool) -> dict[str, Any]:
    mark = {"symbol": "line-ew", "size": 18, "line": {"width": 2, "color": NULL}}
    place = {"type": "scatter", "mode": "markers", "x": names, "y": null, "yaxis": y, "marker": mark}
    hover = f"%{{x}}: %{{y:.3f}} {_WITHOUT}<extra></extra>"
    return {**place, "name": _WITHOUT, "showlegend": first, "hovertemplate": hover}


def _periods(arrays: Any) -> str:
    return f"least over blocks of {', '.join(str(period) for period in first_row(arrays['period']))} tokens"


def _role_names(shown: ViewData) -> list[str]:
    return first_row(shown.artifacts[_ROLES]["label"]).tolist()


_MEASURE = Choice(name="measure", options=tuple(_MEASURES))

VIEWS = (
    View(
        name="heads.roles",
        title="Roles of heads",
        synonyms=("induction heads", "previous-token heads"),
        grain=Grain.CHECKPOINT,
        draw=roles,
        needs=Needs(reads=(_ROLES,), history=(_ROLES,)),
        controls=(SAME_SCALE,),
    ),
    View(
        name="heads.roles_over_training",
        title="Roles of heads over training",
        grain=Grain.TRAJECTORY,
        draw=roles_over_training,
        needs=Needs(reads=(_ROLES,)),
        controls=(Choice(name="role", options_from=_role_names, default="prefix matching"),),
        time_axis="x",
    ),
    View(
        name="heads.similarity",
        title="Distance between heads",
        grain=Grain.CHECKPOINT,
        draw=similarity,
        needs=Needs(reads=(_DISTANCES,), history=(_DISTANCES,)),
        controls=(Choice(name="layer", options_from=_layers), _MEASURE),
    ),
    tree_view(_MEASURES, _layers),
    View(
        name="heads.differentiation",
        title="Differentiation of heads",
        grain=Grain.TRAJECTORY,
        draw=differentiation,
        needs=Needs(reads=(_DISTANCES,), optional=(_PARTED,)),
        controls=(_MEASURE,),
        time_axis="x",
    ),
)
