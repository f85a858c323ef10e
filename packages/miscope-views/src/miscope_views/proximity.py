"""Paths of the weights compared: checkpoint with checkpoint, component with component, run with run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.event_marks import marked_events
from miscope.figures.figure_style import OKABE_ITO, member_colours
from miscope.view import EVENT_MARKS
from miscope_views.figures import figure, line, title
from miscope_views.named_arrays import choice_of, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["COMPONENTS_VIEW", "JOINT_VIEW", "PROXIMITY_VIEW"]

_PATH, _JOINT = "parameters.trajectory", "parameters.joint"
_EVERY = "first of every group"
_PLANES: Mapping[str, tuple[int, int]] = {"1-2": (0, 1), "2-3": (1, 2), "1-3": (0, 2)}


def proximity(shown: ViewData, *, group: str) -> Figure:
    """Distance of every checkpoint from every other: blocks are stages, off-diagonal valleys are returns."""
    arrays = shown.artifacts[_PATH]
    steps, values = shown.steps, np.asarray(arrays[f"{group}/distance"], dtype=np.float64)
    hover = f"{shown.step_label} %{{y:,}} to %{{x:,}}<br>distance %{{z:.4g}}<extra></extra>"
    heat = {"type": "heatmap", "x": steps, "y": steps, "z": values, "coloraxis": "coloraxis", "hovertemplate": hover}
    axis = {"showgrid": False, "constrain": "domain"}
    layout = {
        "title": title(shown, f"Distances between checkpoints: {group}"),
        "xaxis": axis,
        "yaxis": {**axis, "scaleanchor": "x", "autorange": "reversed"},
        "coloraxis": {"cmin": 0, "cmax": float(values.max()) or 1.0, "colorbar": {"title": {"text": "distance"}}},
        "meta": {"time_axes": ["x", "y"]},
    }
    return figure([heat], layout)


def components(shown: ViewData, *, group: str) -> Figure:
    """Scores of the first components over training, of one group or of every group, each over its largest."""
    arrays = shown.artifacts[_PATH]
    curves: list[tuple[str, np.ndarray, float]] = []
    for name in holders(arrays, "scores"):
        scores, explained = arrays[f"{name}/scores"], arrays[f"{name}/explained"]
        if group == _EVERY:
            curves.append((name, scores[:, 0], float(explained[0])))
        elif group == name:
            curves += [(f"component {k + 1}", scores[:, k], float(explained[k])) for k in range(min(4, len(explained)))]
    traces = []
    for i, (name, values, share) in enumerate(curves):
        largest = float(np.abs(values).max()) or 1.0
        hover = f"{name}: %{{y:.3f}} of {largest:.3g} at {shown.step_label} %{{x:,}}<extra></extra>"
        label = f"{name} ({share:.1%})"
        traces.append(line(shown.steps, values / largest, label, OKABE_ITO[i], hovertemplate=hover))
    layout = {
        "title": title(shown, "Components of the path over training", group),
        "yaxis": {"title": {"text": "score / largest"}, "range": [-1.08, 1.08]},
        "showlegend": True,
    }
    return figure(traces, layout)


def joint(shown: ViewData, *, components: str, events: bool) -> Figure:
    """Paths of several runs in the principal components of all of them; a ring is where each starts."""
    arrays, (first, second) = shown.artifacts[_JOINT], _PLANES[components]
    scores, explained, member = arrays["scores"], arrays["explained"], arrays["member"]
    second = min(second, scores.shape[1] - 1)
    colours = member_colours(shown.members)
    traces: list[dict[str, Any]] = []
    for i, one in enumerate(shown.members):
        rows, steps = scores[member == i], arrays["at"][member == i]
        colour = colours[one.shown.variant.name]
        hover = f"{one.label}, {one.shown.step_label} %{{customdata:,}}<extra></extra>"
        place = {"type": "scatter", "x": rows[:, first], "y": rows[:, second], "name": one.label}
        look = {
            "mode": "lines+markers",
            "line": {"color": colour, "width": 1.4},
            "marker": {"size": 4, "color": colour},
        }
        traces.append({**place, **look, "customdata": steps, "hovertemplate": hover})
        ring = {"size": 12, "color": "rgba(0,0,0,0)", "line": {"color": colour, "width": 2}}
        start = {
            "x": rows[:1, first],
            "y": rows[:1, second],
            "mode": "markers",
            "showlegend": False,
            "hoverinfo": "skip",
        }
        traces.append({"type": "scatter", **start, "marker": ring})
        if events:
            traces += _milestones(one.shown, rows[:, [first, second]], steps, colour)
    names = [f"component {k + 1} ({explained[k]:.1%})" for k in (first, second)]
    layout = {
        "title": title(shown, f"Paths of {len(shown.members)} runs in common components"),
        "xaxis": {"title": {"text": names[0]}},
        "yaxis": {"title": {"text": names[1]}},
        "showlegend": True,
        "hovermode": "closest",
    }
    return figure(traces, layout)


def _milestones(shown: ViewData, points: np.ndarray, steps: np.ndarray, colour: str) -> list[dict[str, Any]]:
    dated = marked_events(shown)
    if not dated:
        return []
    rows = [int(np.abs(steps - step).argmin()) for step in dated.values()]
    look = {"marker": {"size": 9, "color": colour, "symbol": "diamond"}, "mode": "markers", "showlegend": False}
    text = [f"{name}, {shown.step_label} {step:,.0f}" for name, step in dated.items()]
    place = {"type": "scatter", "x": points[rows, 0], "y": points[rows, 1], "text": text}
    return [{**place, **look, "hovertemplate": "%{text}<extra></extra>"}]


def _groups(shown: ViewData) -> tuple[str, ...]:
    return (*holders(shown.artifacts[_PATH], "scores"), _EVERY)


PROXIMITY_VIEW = View(
    name="parameters.proximity",
    title="Distances between checkpoints",
    synonyms=("recurrence plot",),
    grain=Grain.TRAJECTORY,
    draw=proximity,
    needs=Needs(reads=(_PATH,)),
    controls=(choice_of("group", _PATH, "distance", default="all"),),
    time_axis="x",
)

COMPONENTS_VIEW = View(
    name="parameters.components",
    title="Components of the path over training",
    grain=Grain.TRAJECTORY,
    draw=components,
    needs=Needs(reads=(_PATH,)),
    controls=(Choice(name="group", options_from=_groups, default="all"),),
    time_axis="x",
)

JOINT_VIEW = View(
    name="parameters.joint_paths",
    title="Paths of several runs",
    grain=Grain.COHORT,
    draw=joint,
    needs=Needs(reads=(_JOINT,)),
    controls=(Choice(name="components", options=tuple(_PLANES)), EVENT_MARKS),
)
