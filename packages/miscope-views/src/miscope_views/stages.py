"""Stages of training and where methods agree on their boundaries."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.artifact import Arrays
from miscope.figures.figure_style import NULL, OKABE_ITO, TEST, TRAIN
from miscope_views.figures import figure, line, panels, title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "stages.change_points"
_COLOURS = {"train": TRAIN, "test": TEST, "squares": OKABE_ITO[2], "l1": OKABE_ITO[3], "all": OKABE_ITO[5]}
_LOGARITHMIC = ("loss", "entropy", "weights")


def change_points(shown: ViewData) -> Figure:
    """Losses, accuracies, entropies, margins and norms with the stages shaded; below, which method cuts where."""
    arrays = shown.artifacts[_READS]
    groups = _groups(arrays["series"].tolist())
    domains = panels([1.0] * len(groups) + [1.1, 0.9], gap=0.03)
    steps = arrays["at"]
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {}
    for i, (group, members) in enumerate(groups.items()):
        suffix = "" if i == 0 else str(i + 1)
        label = f"log<br>{group}" if group in _LOGARITHMIC else group
        layout[f"yaxis{suffix}"] = {"title": {"text": label, **_SMALL}, "domain": domains[i], "nticks": 4}
        for column, name in members:
            hover = f"{group}, {name}: %{{y:.3g}} at {shown.step_label} %{{x:,}}<extra></extra>"
            look = {"yaxis": f"y{suffix}", "hovertemplate": hover, "legendgroup": name}
            first = not any(trace["name"] == name for trace in traces)
            traces.append(line(steps, arrays["value"][:, column], name, _COLOURS[name], showlegend=first, **look))
    strip, path = f"y{len(groups) + 1}", f"y{len(groups) + 2}"
    traces += [*_strip(shown, arrays, strip), _stability(shown, arrays, path)]
    rows = [*arrays["method"].tolist(), "agreed"]
    layout |= {
        strip.replace("y", "yaxis"): {**_rows(rows), "domain": domains[-2]},
        path.replace("y", "yaxis"): {
            **_rows([f"{factor:g}×" for factor in arrays["factor"]]),
            "dtick": max(1, len(arrays["factor"]) // 2),
            "title": {"text": "penalty", **_SMALL},
            "domain": domains[-1],
        },
        "title": title(shown, "Stages of training", _note(arrays)),
        "shapes": _shades(arrays),
        "showlegend": True,
    }
    return figure(traces, layout)


_SMALL = {"font": {"size": 11}}


def _rows(names: list[str]) -> dict[str, Any]:
    """An axis on which every name has its row, the first at the top."""
    order = {"type": "category", "categoryorder": "array", "categoryarray": names}
    return {**order, "dtick": 1, "tickfont": {"size": 9}, "range": [len(names) - 0.4, -0.6]}


def _stability(shown: ViewData, arrays: Arrays, axis: str) -> dict[str, Any]:
    """Where the partition by the mean is cut at each penalty: a cut that is there at all of them is beyond doubt."""
    factor, place = np.nonzero(arrays["stability"])
    names = np.array([f"{each:g}×" for each in arrays["factor"]])
    hover = f"penalty %{{y}}: cut at {shown.step_label} %{{x:,}}<extra></extra>"
    mark = {"symbol": "square", "size": 4, "color": NULL}
    base = {"type": "scatter", "mode": "markers", "yaxis": axis, "showlegend": False, "name": "stability"}
    return {**base, "x": arrays["at"][place], "y": names[factor], "marker": mark, "hovertemplate": hover}


def _groups(names: list[str]) -> dict[str, list[tuple[int, str]]]:
    """{'loss': [(0, 'train'), (1, 'test')], 'weights': [(8, 'squares')]}."""
    columns: dict[str, list[tuple[int, str]]] = {}
    for column, name in enumerate(names):
        part, what = name.split()
        group, member = ("weights", what) if part == "weights" else (what, part)
        columns.setdefault(group, []).append((column, member))
    return columns


def _strip(shown: ViewData, arrays: Arrays, axis: str) -> list[dict[str, Any]]:
    traces = []
    base = {"type": "scatter", "mode": "markers", "yaxis": axis, "showlegend": False}
    for method, row in zip(arrays["method"].tolist(), arrays["boundary"], strict=True):
        at = arrays["at"][row]
        hover = f"{method}: %{{x:,}}<extra></extra>"
        mark = {"symbol": "line-ns-open", "size": 12, "color": OKABE_ITO[0], "line": {"width": 2}}
        traces.append({**base, "x": at, "y": [method] * len(at), "marker": mark, "hovertemplate": hover})
    at, votes = arrays["consensus"], arrays["votes"]
    low, high = arrays["ci"].T
    spread = {"type": "data", "symmetric": False, "array": high - at, "arrayminus": at - low, "width": 5}
    mark = {"symbol": "diamond", "size": 9, "color": OKABE_ITO[1]}
    where = f"<br>{shown.step_label} %{{x:,}}<extra></extra>"
    agreed_hover = f"%{{customdata[0]}} methods, in %{{customdata[1]:.0%}} of draws{where}"
    points = {"x": at, "y": ["agreed"] * len(at), "customdata": np.stack([votes, arrays["support"]], axis=1)}
    error = {"error_x": {**spread, "color": OKABE_ITO[1]}}
    return [*traces, {**base, **points, **error, "marker": mark, "hovertemplate": agreed_hover}]


def _shades(arrays: Arrays) -> list[dict[str, Any]]:
    """Every second stage grey, through all panels."""
    edges = [float(arrays["at"][0]), *arrays["consensus"].tolist(), float(arrays["at"][-1])]
    look = {"type": "rect", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "line": {"width": 0}}
    pairs = list(pairwise(edges))
    return [{**look, "x0": a, "x1": b, "fillcolor": NULL, "opacity": 0.16} for a, b in pairs[1::2]]


def _note(arrays: Arrays) -> str:
    count = int(arrays["stage_count"])
    if count == 1:
        return "one stage: no boundary on which two methods agree"
    kept = arrays["stability"].sum(axis=1)
    robust = (
        f"{int(kept[-1])} to {int(kept[0])} cuts by the mean as its penalty goes from {arrays['factor'][-1]:g}× to "
    )
    return f"{count} stages · {robust}{arrays['factor'][0]:g}×"


VIEWS = (
    View(
        name=_READS,
        title="Stages of training",
        grain=Grain.TRAJECTORY,
        draw=change_points,
        needs=Needs(reads=(_READS,)),
        time_axis="x",
    ),
)
