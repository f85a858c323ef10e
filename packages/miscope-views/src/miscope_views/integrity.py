"""Whether checkpoints can be trusted: how far apart they are, what is wrong with any, and whether losses agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.artifact import Arrays
from miscope.figures.figure_style import NULL, OKABE_ITO, TEST, TRAIN
from miscope_views.figures import figure, line, panels, title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_AUDIT, _REPLAY = "integrity.audit", "integrity.replay"
_FLAG = OKABE_ITO[1]
_MOST = 6
"""Flagged steps that a note names."""


def distances(shown: ViewData) -> Figure:
    """Distance between the weights of any two checkpoints: one run is a band that darkens away from the diagonal."""
    arrays = shown.artifacts[_AUDIT]
    steps = arrays["at"]
    heat = {
        "type": "heatmap",
        "x": steps,
        "y": steps,
        "z": arrays["distance"],
        "coloraxis": "coloraxis",
        "hovertemplate": f"{shown.step_label} %{{x:,}} and %{{y:,}}: %{{z:.4g}} apart<extra></extra>",
    }
    axis = {"showgrid": False, "constrain": "domain"}
    flagged, most = arrays["at"][arrays["flag"].any(axis=1)], float(arrays["distance"].max())
    marks = [
        {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": {"color": _FLAG, "width": 1}}
        for at in flagged
    ]
    layout = {
        "title": title(shown, "Distance between checkpoints", f"{_verdict(shown, arrays)} · {_neighbours(arrays)}"),
        "xaxis": axis,
        "yaxis": {**axis, "scaleanchor": "x"},
        "coloraxis": {"cmin": 0, "cmax": most or 1.0, "colorbar": {"title": {"text": "|Δw|"}}},
        "shapes": marks,
        "meta": {"time_axes": ["x", "y"]},
    }
    return figure([heat], layout)


def flags(shown: ViewData) -> Figure:
    """Checks that each checkpoint passes or fails; below, how far each tensor's speed is from its neighbours'."""
    arrays = shown.artifacts[_AUDIT]
    steps, kinds, flag = arrays["at"], arrays["kind"].tolist(), arrays["flag"]
    above, below = panels([1, 1.3])
    traces: list[dict[str, Any]] = []
    for column, kind in enumerate(kinds):
        traces += _raised(steps, flag[:, column], kind, shown.step_label)
    middle = (steps[1:] + steps[:-1]) / 2
    for column, role in enumerate(arrays["role"].tolist()):
        hover = f"{role}: %{{y:.1f}} sd off by {shown.step_label} %{{x:,.0f}}<extra></extra>"
        colour = OKABE_ITO[column % 7]
        look = {"width": 1, "dash": ("solid", "dash", "dot")[column // 7 % 3]}
        more = {"line": look, "yaxis": "y2", "hovertemplate": hover}
        traces.append(line(middle, arrays["speed_z"][:, column], role, colour, **more))
    layout = {
        "title": title(shown, "Integrity of the checkpoints", _verdict(shown, arrays)),
        "yaxis": {
            "type": "category",
            "domain": above,
            "categoryorder": "array",
            "categoryarray": kinds,
            "autorange": "reversed",
            "showgrid": False,
        },
        "yaxis2": {"title": {"text": "speed beside its<br>neighbours' (sd)"}, "domain": below},
        "shapes": [{**_BOUND, "y0": z, "y1": z} for z in (-6, 6)],
        "showlegend": True,
    }
    return figure(traces, layout)


def _raised(steps: np.ndarray, raised: np.ndarray, kind: str, step_label: str) -> Iterator[dict[str, Any]]:
    """A row of marks: a tick for every checkpoint that is well, a cross for each that is not."""
    for which, colour, symbol, size in ((~raised, NULL, "line-ns-open", 5), (raised, _FLAG, "x", 9)):
        state = f"{kind} at" if size > 5 else f"no {kind} at"
        place = {"type": "scatter", "mode": "markers", "x": steps[which], "y": [kind] * int(which.sum())}
        mark = {"color": colour, "symbol": symbol, "size": size}
        hover = f"{state} {step_label} %{{x:,}}<extra></extra>"
        yield {**place, "marker": mark, "showlegend": False, "hovertemplate": hover}


_LOOK = {"color": NULL, "dash": "dash", "width": 1}
_BOUND = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y2", "line": _LOOK}


def replay(shown: ViewData) -> Figure:
    """Losses recomputed from the checkpoints, on those recorded in training; below, how far apart they are."""
    arrays = shown.artifacts[_REPLAY]
    above, below = panels([1.4, 1])
    traces, notes, gaps = [], [], 0
    for name, colour in (("train_loss", TRAIN), ("test_loss", TEST)):
        if f"{name}/recorded" not in arrays:
            continue
        split, steps = name.removesuffix("_loss"), arrays["at"]
        series = shown.metrics.get(name) if name in shown.metrics else None
        if series is not None:
            traces.append(line(series.steps, series.values, f"{split}, recorded", colour))
        hover = f"{split} %{{y:.5g}} nats at {shown.step_label} %{{x:,}}<extra>recomputed</extra>"
        dots = {"type": "scatter", "mode": "markers", "x": steps, "name": f"{split}, recomputed"}
        marks = {"symbol": "circle-open", "size": 5, "color": colour}
        traces.append({**dots, "y": arrays[f"{name}/recomputed"], "marker": marks, "hovertemplate": hover})
        ratio = np.abs(arrays[f"{name}/log_ratio"])
        gaps += int(np.isnan(ratio).sum())
        flag = arrays[f"{name}/flag"]
        marks = {"size": np.where(flag, 10, 4), "color": [_FLAG if on else colour for on in flag]}
        marks["symbol"] = ["x" if on else "circle" for on in flag]
        hover = f"{split}: log ratio %{{y:.2g}} at {shown.step_label} %{{x:,}}<extra></extra>"
        more = {"showlegend": False, "yaxis": "y2", "hovertemplate": hover}
        traces.append({**dots, "y": np.maximum(ratio, 1e-9), "marker": marks, **more})
        notes.append(_agreement(arrays, name, shown.step_label))
    bad = float(arrays["flag_count"])
    if not np.isnan(bad):
        notes.append(f"{bad:.0f} flagged" if bad else "none flagged")
    layout = {
        "title": title(shown, "Recomputed and recorded losses", " · ".join(notes)),
        "yaxis": {"title": {"text": "loss (nats)"}, "type": "log", "domain": above, "exponentformat": "power"},
        "yaxis2": {"title": {"text": "|log ratio|"}, "type": "log", "domain": below, "exponentformat": "power"},
        "showlegend": True,
    }
    return figure(traces, layout, gaps=gaps)


def _agreement(arrays: Arrays, name: str, step_label: str) -> str:
    """How well a loss agrees with its record, and how far from the checkpoints that was made."""
    split = name.removesuffix("_loss")
    if np.isnan(arrays[f"{name}/worst"]):
        return f"{split}: nothing was recorded near a checkpoint"
    told = f"{split}: at most {float(arrays[f'{name}/worst']):.1g}{_lag(arrays, name)}"
    if arrays[f"{name}/differs"] == 1:
        told = f"{split}: apart throughout, typically {float(arrays[f'{name}/typical']):.1g}"
    distance = float(np.nanmax(np.abs(arrays[f"{name}/distance"])))
    return told + (f", records up to {distance:,.0f} {step_label}s away" if distance else "")


def _lag(arrays: Arrays, name: str) -> str:
    lag = int(arrays[f"{name}/lag"])
    return f" (agrees better {abs(lag)} record {'later' if lag > 0 else 'earlier'})" if lag else ""


def _verdict(shown: ViewData, arrays: Arrays) -> str:
    flagged = arrays["at"][arrays["flag"].any(axis=1)]
    if not len(flagged):
        return f"none of {len(arrays['at']):,} checkpoints is flagged"
    named = ", ".join(f"{at:,}" for at in flagged[:_MOST]) + (", …" if len(flagged) > _MOST else "")
    return f"{len(flagged):,} of {len(arrays['at']):,} flagged: {shown.step_label} {named}"


def _neighbours(arrays: Arrays) -> str:
    return f"{float(arrays['neighbour_share']):.0%} are nearest to a neighbour"


VIEWS = (
    View(
        name="integrity.distances",
        title="Distance between checkpoints",
        grain=Grain.TRAJECTORY,
        draw=distances,
        needs=Needs(reads=(_AUDIT,)),
        time_axis="x",
    ),
    View(
        name="integrity.flags",
        title="Integrity of the checkpoints",
        synonyms=("audit", "corruption"),
        grain=Grain.TRAJECTORY,
        draw=flags,
        needs=Needs(reads=(_AUDIT,)),
        time_axis="x",
    ),
    View(
        name="integrity.replay",
        title="Recomputed losses",
        grain=Grain.TRAJECTORY,
        draw=replay,
        needs=Needs(reads=(_REPLAY,), metrics=("*_loss",)),
        time_axis="x",
    ),
)
