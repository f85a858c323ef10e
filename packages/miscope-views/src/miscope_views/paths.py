"""The path of the weights through their space, always beside what a random walk would show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Toggle, View, ViewData
from miscope.figures.event_marks import marked_events
from miscope.figures.figure_style import NULL, OKABE_ITO, ON_A_PATH
from miscope.maths.dated_events import long_name
from miscope.view import EVENT_MARKS
from miscope_views.figures import figure, formatted, line, panels, title
from miscope_views.named_arrays import choice_of, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["TRAJECTORY_VIEW", "VARIANCE_VIEW", "VELOCITY_VIEW"]

_PATH, _MOTION = "parameters.trajectory", "parameters.velocity"
_PLANES: Mapping[str, tuple[int, ...]] = {"1-2": (0, 1), "2-3": (1, 2), "1-3": (0, 2), "1-2-3": (0, 1, 2)}
_GROUPS = ("all", "embedding", "attention", "mlp")
_NULLS: Mapping[str, tuple[str, str]] = {
    "walk": ("null", "random walks"),
    "drift": ("drift", "walks that drift as far"),
    "pull": ("pull", "walks pulled as strongly"),
}
_NONE = "none"
_STILL = "nothing moves"
_BESIDE_NO_MOVE = " · gaps: beside a move of no length"
_OF = {"all": "all weights", "embedding": "the embeddings", "attention": "attention", "mlp": "the MLP"}


def trajectory(shown: ViewData, *, group: str, components: str, null: str, events: bool) -> Figure:
    """Path of the weights in its principal components, coloured by step, beside a random walk of equal step lengths."""
    arrays, axes = shown.artifacts[_PATH], _PLANES[components]
    scores, explained = arrays[f"{group}/scores"], arrays[f"{group}/explained"]
    traces, note = [], ""
    if null != _NONE and arrays[f"{group}/{_NULLS[null][0]}_path"].shape[1] > max(axes):
        prefix, name = _NULLS[null]
        grey = {"mode": "lines", "name": name, "line": {"color": NULL, "width": 2, "dash": "dot"}}
        walk = _points(arrays[f"{group}/{prefix}_path"], axes)
        traces.append({**walk, **grey, "hovertemplate": f"one of the {name}<extra></extra>"})
        note = f"grey: one of the {name}{_strength(arrays, group, null)}, of the same step lengths"
    traces.append(_weights_path(shown, scores, axes))
    if events:
        traces += _marked(shown, scores, axes)
    names = [f"component {axis + 1} ({explained[axis]:.1%})" for axis in axes]
    layout: dict[str, Any] = {
        "title": title(shown, f"Path of {_OF.get(group, group)}", note),
        "coloraxis": {
            "colorscale": list(ON_A_PATH),
            "colorbar": {"title": {"text": shown.step_label}, "tickformat": ","},
        },
        "showlegend": False,
        "hovermode": "closest",
    }
    titles = [{"title": {"text": name}} for name in names]
    if len(axes) == 3:
        scene = dict(zip(("xaxis", "yaxis", "zaxis"), titles, strict=True))
        layout["scene"] = {**scene, "camera": {"eye": {"x": 1.6, "y": 1.6, "z": 1.1}}}
        layout["margin"] = {"l": 16, "r": 16, "b": 16}
    else:
        layout |= dict(zip(("xaxis", "yaxis"), titles, strict=True))
    return figure(traces, layout)


def variance(shown: ViewData, *, group: str, null: str) -> Figure:
    """How much each component explains, how round the loops are and how cosine-like the scores, beside the null."""
    arrays, (prefix, kind) = shown.artifacts[_PATH], _NULLS[null]
    explained = arrays[f"{group}/explained"]
    panel = (
        ("", "share of variance", [str(k + 1) for k in range(len(explained))], explained, "explained"),
        ("2", "loop area / its box", ["1-2", "2-3"], arrays[f"{group}/area"], "area"),
        ("3", "|corr| with cos(πkt/T)", [], arrays[f"{group}/cosine"], "cosine"),
    )
    high, low = panels((1, 1), 0.2)
    places = (((0, 1), high), ((0, 0.41), low), ((0.59, 1), low))
    p = [f"p = {value:.3f}" for value in arrays[f"{group}/{prefix}_area_p"] if np.isfinite(value)]
    note = f"grey: 95 % of {kind}{_strength(arrays, group, null)}" + (f" · larger loops: {', '.join(p)}" if p else "")
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "title": title(shown, f"Shape of the path of {_OF.get(group, group)}", note),
        "showlegend": False,
        "bargap": 0.3,
    }
    for (suffix, name, labels, values, what), (across, up) in zip(panel, places, strict=True):
        names = labels or [str(k + 1) for k in range(len(values))]
        place = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
        finite = np.isfinite(values)
        bars = {"type": "bar", "x": [n for n, f in zip(names, finite, strict=True) if f], "y": values[finite]}
        hover = f"{name} %{{y:.4f}}<extra>component%{{x}}</extra>"
        traces.append({**bars, **place, "marker": {"color": OKABE_ITO[0]}, "hovertemplate": hover})
        traces.append({**_null_bars(names, arrays[f"{group}/{prefix}_{what}"]), **place})
        layout[f"xaxis{suffix}"] = {
            "type": "category",
            "domain": list(across),
            "anchor": f"y{suffix}",
            "title": {"text": "components" if what == "area" else "component"},
            "showgrid": False,
        }
        axis = {"anchor": f"x{suffix}", "domain": up, "title": {"text": name}, "rangemode": "tozero"}
        layout[f"yaxis{suffix}"] = axis
    return figure(traces, layout)


def velocity(shown: ViewData, *, parts: str, relative: bool) -> Figure:
    """How fast the weights move, and how straight: the cosine between one move and the next."""
    arrays = shown.artifacts[_MOTION]
    everything = holders(arrays, "speed")
    names = [name for name in everything if (name in _GROUPS) == (parts == "groups")]
    upper, lower = panels((1.3, 1))
    middle, inner = (shown.steps[1:] + shown.steps[:-1]) / 2, shown.steps[1:-1]
    traces, gaps = [], 0
    for i, name in enumerate(names):
        common = {"legendgroup": name, "line": {"dash": "solid" if i < len(OKABE_ITO) else "dash"}}
        colour = OKABE_ITO[i % len(OKABE_ITO)]
        at = f"%{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
        speed, turning = arrays[f"{name}/{'relative' if relative else 'speed'}"], arrays[f"{name}/turning"]
        traces.append(line(middle, speed, name, colour, **common, hovertemplate=f"{name}: speed {at}"))
        more = {"yaxis": "y2", "showlegend": False, "hovertemplate": f"{name}: cosine {at}"}
        cosine = line(inner, turning, name, colour, **common, **more)
        traces.append(cosine)
        gaps += int(np.isnan(cosine["y"]).sum())
    straight = float(arrays["all/straightness"])
    unit = f"{'distance / length of the weights' if relative else 'distance'} per {shown.step_label}"
    layout: dict[str, Any] = {
        "title": title(
            shown,
            "Speed and straightness of the weights",
            f"start to end / length of path: {formatted(straight, '.3f', _STILL)}{_BESIDE_NO_MOVE if gaps else ''}",
        ),
        "yaxis": {"title": {"text": unit}, "type": "log", "domain": upper},
        "yaxis2": {"title": {"text": "cosine with the move before"}, "domain": lower, "range": [-1.05, 1.05]},
        "showlegend": True,
    }
    return figure(traces, layout, gaps=gaps)


def _strength(arrays: Mapping[str, np.ndarray], group: str, null: str) -> str:
    """What drives the walks, as far as the path was found to be driven."""
    if null == "drift":
        return f" (cosine {float(arrays[f'{group}/drift']):.2g})"
    return f" ({float(arrays[f'{group}/pull']):.2g} of the way)" if null == "pull" else ""


def _points(scores: np.ndarray, axes: tuple[int, ...]) -> dict[str, Any]:
    """Coordinates of a path, and the kind of trace they make."""
    coordinates = {letter: scores[:, axis] for letter, axis in zip("xyz", axes, strict=False)}
    return {"type": "scatter3d" if len(axes) == 3 else "scatter", **coordinates}


def _weights_path(shown: ViewData, scores: np.ndarray, axes: tuple[int, ...]) -> dict[str, Any]:
    colours = {"color": shown.steps, "coloraxis": "coloraxis", "size": 3 if len(axes) == 3 else 6}
    return {
        **_points(scores, axes),
        "mode": "lines+markers",
        "name": "weights",
        "line": {"color": "rgba(127,127,127,0.6)", "width": 1.5},
        "marker": colours,
        "customdata": shown.steps,
        "hovertemplate": f"{shown.step_label} %{{customdata:,}}<extra></extra>",
    }


def _marked(shown: ViewData, scores: np.ndarray, axes: tuple[int, ...]) -> list[dict[str, Any]]:
    """The checkpoints nearest to the events, by name."""
    dated = marked_events(shown)
    if not dated:
        return []
    rows = [int(np.abs(shown.steps - step).argmin()) for step in dated.values()]
    look = {"size": 6 if len(axes) == 3 else 11, "color": "rgba(0,0,0,0)", "line": {"color": OKABE_ITO[1], "width": 2}}
    return [
        {
            **_points(scores[rows], axes),
            "mode": "markers+text",
            "marker": look,
            "text": [long_name(name).replace(" of ", " of<br>") for name in dated],
            "textposition": "top center",
            "textfont": {"size": 10},
            "hoverinfo": "skip",
        }
    ]


def _null_bars(names: list[str], null: np.ndarray) -> dict[str, Any]:
    """Median and 95 % of the null as a mark with whiskers on each bar it exists for and is finite."""
    finite = np.flatnonzero(np.isfinite(null[:, : len(names)]).all(axis=0))
    low, middle, high = null[:, finite]
    whiskers = {"type": "data", "symmetric": False, "array": high - middle, "arrayminus": middle - low}
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [names[i] for i in finite],
        "y": middle,
        "error_y": {**whiskers, "color": NULL, "thickness": 3, "width": 7},
        "marker": {"color": NULL, "size": 7, "symbol": "diamond"},
        "hovertemplate": "walks: median %{y:.4f}<extra></extra>",
    }


_GROUP = choice_of("group", _PATH, "scores", default="all")

TRAJECTORY_VIEW = View(
    name="parameters.trajectory",
    title="Path of the weights",
    synonyms=("PCA", "principal components", "weight trajectory"),
    grain=Grain.TRAJECTORY,
    draw=trajectory,
    in_reports=({},),
    needs=Needs(reads=(_PATH,)),
    controls=(
        _GROUP,
        Choice(name="components", options=tuple(_PLANES)),
        Choice(name="null", options=(*_NULLS, _NONE), label="random walk"),
        EVENT_MARKS,
    ),
)

VARIANCE_VIEW = View(
    name="parameters.variance",
    title="Shape of the weights' path",
    grain=Grain.TRAJECTORY,
    draw=variance,
    needs=Needs(reads=(_PATH,)),
    controls=(_GROUP, Choice(name="null", options=tuple(_NULLS), label="random walk")),
)

VELOCITY_VIEW = View(
    name="parameters.velocity",
    title="Speed of the weights",
    grain=Grain.TRAJECTORY,
    draw=velocity,
    needs=Needs(reads=(_MOTION,)),
    controls=(
        Choice(name="parts", options=("groups", "tensors")),
        Toggle(name="relative", label="relative to the weights"),
    ),
    time_axis="x",
)
