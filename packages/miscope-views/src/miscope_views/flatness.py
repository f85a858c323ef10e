"""How flat the loss is around the weights: over training, by radius, and over the plane of the path."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Toggle, View, ViewData
from miscope.figures.event_marks import marked_events
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope.maths.dated_events import long_name
from miscope.view import EVENT_MARKS
from miscope_views.figures import faint, figure, line, title
from miscope_views.named_arrays import first_row, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_ON_COLOUR = {"color": "#FFFFFF", "size": 12, "shadow": "0px 0px 3px #000000"}

_READS, _PLANE = "flatness.perturbation", "flatness.plane"
_MEASURES: Mapping[str, str] = {
    "increase": "rise of the training loss",
    "over loss": "rise / training loss",
    "trace": "implied trace of the Hessian",
}
_KINDS: Mapping[str, str] = {
    "relative": "of each tensor's length",
    "filter": "of each unit's length",
    "isotropic": "in the space of all weights",
}


def over_training(shown: ViewData, *, measure: str, kind: str) -> Figure:
    """Mean rise of the loss along random directions over training, by radius; bands are two standard errors.

    The trace is that of isotropic directions, whatever the kind.
    """
    arrays = shown.artifacts[_READS]
    kind = "isotropic" if measure == "trace" and "isotropic/trace" in arrays else kind
    what, error = ("trace", "trace_sem") if measure == "trace" and kind == "isotropic" else ("mean", "sem")
    scale = np.asarray(arrays["loss"])[:, None] if measure == "over loss" else np.ones((len(arrays["step"]), 1))
    mean, sem = (np.asarray(arrays[f"{kind}/{name}"]) / scale for name in (what, error))
    traces: list[dict[str, Any]] = []
    positive = bool((mean > 0).all())
    for i, radius in enumerate(first_row(arrays[f"{kind}/radius"])):
        name, colour = f"{radius:g}", OKABE_ITO[i % len(OKABE_ITO)]
        low = mean[:, i] - 2 * sem[:, i]
        # A band that reaches zero has no lower edge on a logarithmic axis: it ends a hundredth below the mean.
        low = np.maximum(low, mean[:, i] / 100) if positive else low
        traces += _ribbon(arrays["step"], low, mean[:, i] + 2 * sem[:, i], colour, name)
        hover = f"radius {name}: %{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
        traces.append(line(arrays["step"], mean[:, i], name, colour, legendgroup=name, hovertemplate=hover))
    if measure == "increase":
        look = {"color": NULL, "dash": "dot"}
        hover = f"training loss %{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
        traces.append(line(arrays["step"], arrays["loss"], "training loss", NULL, line=look, hovertemplate=hover))
    layout: dict[str, Any] = {
        "title": title(shown, "Flatness of the training loss", f"radii are {_KINDS[kind]}; bands: ± 2 standard errors"),
        "yaxis": {"title": {"text": _MEASURES[measure if what == "mean" or measure == "trace" else "increase"]}},
        "legend": {"title": {"text": "radius"}},
        "showlegend": True,
    }
    if positive:
        layout["yaxis"] |= {"type": "log", "exponentformat": "power"}
    return figure(traces, layout)


def radii(shown: ViewData, *, locked: bool) -> Figure:
    """Every rise of the loss against the distance gone, each direction a dot; dotted: a bowl through the first mean."""
    arrays, over_time = shown.artifacts[_READS], shown.history[_READS]
    kinds = [kind for kind in _KINDS if f"{kind}/delta" in arrays]
    traces: list[dict[str, Any]] = []
    for i, kind in enumerate(kinds):
        place = {"xaxis": f"x{i + 1 if i else ''}", "yaxis": "y"}
        radius, mean, sem = (arrays[f"{kind}/{name}"] for name in ("radius", "mean", "sem"))
        delta = arrays[f"{kind}/delta"]
        colour = OKABE_ITO[i]
        dots = {"type": "scatter", "mode": "markers", "x": np.repeat(radius, delta.shape[1]), "y": delta.ravel()}
        look = {"size": 5, "color": colour, "opacity": 0.35}
        hover = f"{kind} %{{x:g}}: %{{y:.4g}} nats<extra></extra>"
        traces.append({**dots, **place, "marker": look, "name": kind, "hovertemplate": hover})
        if len(radius) > 1:
            bowl = mean[0] * (radius / radius[0]) ** 2
            dotted = {"line": {"dash": "dot"}, **place, "hoverinfo": "skip"}
            traces.append(line(radius, bowl, "bowl", NULL, **dotted))
        bars = {"type": "data", "array": 2 * sem, "color": colour, "thickness": 2, "width": 6}
        centre = {"type": "scatter", "mode": "markers", "x": radius, "y": mean, "error_y": bars, **place}
        tip = f"{kind} %{{x:g}}: mean %{{y:.4g}} ± 2 standard errors<extra></extra>"
        mark = {"size": 9, "color": colour, "symbol": "diamond"}
        traces.append({**centre, "marker": mark, "name": f"mean, {kind}", "hovertemplate": tip})
    note = f"training loss {float(arrays['loss']):.3g}; diamonds: mean ± 2 standard errors"
    layout: dict[str, Any] = {
        "title": title(shown, "Rise of the training loss by distance", note),
        "yaxis": {"title": {"text": "rise of the loss, nats"}},
        "showlegend": False,
        **_side_by_side(kinds, arrays),
    }
    if locked:
        every = [np.asarray(over_time[f"{kind}/delta"]) for kind in kinds]
        low, high = min(float(a.min()) for a in every), max(float(a.max()) for a in every)
        layout["yaxis"]["range"] = [low - 0.05 * (high - low), high + 0.05 * (high - low)]
    return figure(traces, layout)


def plane(shown: ViewData, *, quantity: str, logarithmic: bool, events: bool) -> Figure:
    """Training loss over the plane of the path's first two principal components, with the checkpoints on it."""
    arrays = shown.artifacts[_PLANE]
    values = np.asarray(arrays[quantity], dtype=np.float64)
    logs = logarithmic and quantity == "loss"
    heights = np.log10(np.maximum(values, np.finfo(np.float32).tiny)) if logs else values
    unit = {"loss": "log₁₀ loss" if logs else "loss, nats", "accuracy": "accuracy"}[quantity]
    hover = f"x %{{x:.3g}}, y %{{y:.3g}}<br>{unit} %{{z:.4g}}<extra></extra>"
    contour = {"type": "contour", "x": arrays["x"], "y": arrays["y"], "z": heights, "coloraxis": "coloraxis"}
    scores, explained = arrays["scores"], arrays["explained"]
    tip = f"{shown.step_label} %{{customdata[0]:,}}<br>%{{customdata[1]:.3g}} off the plane<extra></extra>"
    path = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": scores[:, 0],
        "y": scores[:, 1],
        "line": {"color": "#FFFFFF", "width": 2},
        "marker": {"size": 5, "color": "#FFFFFF", "line": {"color": "#000000", "width": 1}},
        "customdata": np.stack([shown.steps, arrays["off"]], axis=1).tolist(),
        "hovertemplate": tip,
    }
    traces = [{**contour, "hovertemplate": hover, "line": {"width": 0.5}, "ncontours": 24}, path]
    dated = marked_events(shown) if events else {}
    if dated:
        rows = [int(np.abs(shown.steps - step).argmin()) for step in dated.values()]
        look = {"size": 11, "color": OKABE_ITO[1], "symbol": "diamond", "line": {"color": "#FFFFFF", "width": 1.5}}
        where = {"type": "scatter", "mode": "markers+text", "x": scores[rows, 0], "y": scores[rows, 1], "marker": look}
        names = [long_name(name).replace(" of ", " of<br>") for name in dated]
        text = {"text": names, "textposition": "top center", "textfont": _ON_COLOUR}
        traces.append({**where, **text, "hoverinfo": "skip"})
    layout: dict[str, Any] = {
        "title": title(shown, "Loss around the path of training", "checkpoints lie beside the plane, not in it"),
        "xaxis": {"title": {"text": f"component 1 ({explained[0]:.1%})"}, "showgrid": False},
        "yaxis": {"title": {"text": f"component 2 ({explained[1]:.1%})"}, "showgrid": False},
        "coloraxis": {"colorscale": "Viridis", "autocolorscale": False, "colorbar": {"title": {"text": unit}}},
        "showlegend": False,
        "hovermode": "closest",
    }
    return figure(traces, layout)


def _ribbon(x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str, group: str) -> list[dict[str, Any]]:
    edge = {"mode": "lines", "line": {"width": 0, "color": colour}, "hoverinfo": "skip", "showlegend": False}
    shared = {"type": "scatter", "x": x, "legendgroup": group, **edge}
    return [
        {**shared, "y": low},
        {**shared, "y": high, "fill": "tonexty", "fillcolor": faint(colour, 0.2)},
    ]


def _side_by_side(kinds: list[str], arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    width = (1 - 0.06 * (len(kinds) - 1)) / max(len(kinds), 1)
    axes = {}
    for i, kind in enumerate(kinds):
        start = i * (width + 0.06)
        axes[f"xaxis{i + 1 if i else ''}"] = {
            "domain": [start, min(start + width, 1)],
            "type": "log",
            "title": {"text": "<br>".join(["radius,", *textwrap.wrap(_KINDS[kind], 16)])},
            "tickvals": arrays[f"{kind}/radius"].tolist(),
            "ticktext": [f"{radius:g}" for radius in arrays[f"{kind}/radius"]],
            "anchor": "y",
        }
    return axes


def _kinds(shown: ViewData) -> tuple[str, ...]:
    there = holders(shown.artifacts[_READS], "mean")
    return tuple(kind for kind in _KINDS if kind in there)


VIEWS = (
    View(
        name="flatness.over_training",
        title="Flatness of the loss",
        synonyms=("sharpness", "loss landscape"),
        grain=Grain.TRAJECTORY,
        draw=over_training,
        needs=Needs(reads=(_READS,)),
        controls=(
            Choice(name="measure", options=tuple(_MEASURES)),
            Choice(name="kind", options_from=_kinds),
        ),
        time_axis="x",
    ),
    View(
        name="flatness.radii",
        title="Rise of the loss by distance",
        grain=Grain.CHECKPOINT,
        draw=radii,
        needs=Needs(reads=(_READS,), history=(_READS,)),
        controls=(Toggle(name="locked", label="same scale at every step"),),
    ),
    View(
        name="flatness.slice",
        title="Loss around the path",
        synonyms=("loss landscape",),
        grain=Grain.TRAJECTORY,
        draw=plane,
        needs=Needs(reads=(_PLANE,)),
        controls=(
            Choice(name="quantity", options=("loss", "accuracy")),
            Toggle(name="logarithmic", default=True, label="logarithm of the loss"),
            EVENT_MARKS,
        ),
    ),
)
