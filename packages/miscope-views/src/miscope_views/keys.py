"""Which components of the task's basis the model computes with, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of
from miscope_views.figures import figure, line, panels, title
from miscope_views.named_arrays import first_row

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS, _LOSSES = "keys.votes", "progress.losses"
_CAUSAL = "causal: loss × 10<br>without it (no vote)"
_SCALE = ((0.0, "rgba(0,0,0,0)"), (0.25, "#c6dbef"), (0.5, "#6baed6"), (0.75, "#2171b5"), (1.0, "#08306b"))


def presence(shown: ViewData) -> Figure:
    """Votes for each component that was ever key, over training, and which of them passed; how many are key below."""
    arrays = shown.artifacts[_READS]
    labels, votes, key = first_row(arrays["label"]), np.asarray(arrays["votes"], dtype=int), arrays["key"]
    voters = arrays["voter"].shape[-1]
    ever = np.flatnonzero(key.any(axis=0))
    steps, seen = arrays["step"], votes[:, ever]
    above, below = panels([3, 1])
    unit = next((basis.unit for basis in shown.bases.values()), "component")
    traces: list[dict[str, Any]] = [
        line(arrays["step"], key.sum(axis=1), "", OKABE_ITO[0], yaxis="y2", showlegend=False, line={"shape": "hv"})
    ]
    if len(ever):
        hover = f"{unit} %{{y}}<br>{shown.step_label} %{{x:,}}<br>%{{z}} of {voters} votes<extra></extra>"
        bars = {"type": "heatmap", "x": steps, "y": labels[ever].tolist(), "z": seen.T, "ygap": 4}
        traces.append({**bars, "coloraxis": "coloraxis", "hovertemplate": hover})
    note = "" if len(ever) else "no component is key at any step"
    names = labels[ever].tolist()
    named = {"tickvals": names, "ticktext": [_named(k, stays) for k, stays in zip(names, key[-1, ever], strict=True)]}
    bar = {"title": {"text": "votes"}, "tickvals": np.arange(voters + 1), "len": 0.7, "y": 0.65}
    layout = {
        "title": title(shown, "Key components", note),
        "xaxis": {"showgrid": False},
        "yaxis": {"title": {"text": unit}, "type": "category", "domain": above, "showgrid": False, **named},
        "yaxis2": {"title": {"text": "key components"}, "domain": below, "rangemode": "tozero"},
        "coloraxis": {"cmin": 0, "cmax": voters, "colorscale": _SCALE, "colorbar": bar},
    }
    return figure(traces, layout)


def _named(label: str, stays: bool) -> str:
    """The component in its colour; one that is not key at the end says so."""
    dot = f"<span style='color:{colour_of(label)}'>●</span>"
    return f"{label} {dot}" if stays else f"transient {label} {dot}"


def votes(shown: ViewData) -> Figure:
    """Which instruments find each component in use at this step; what breaks the loss, and second harmonics, apart."""
    arrays = shown.artifacts[_READS]
    labels, ballot, voters = arrays["label"], arrays["vote"], arrays["voter"]
    causal = shown.artifacts[_LOSSES]["causal"] if _LOSSES in shown.artifacts else np.zeros(len(labels), dtype=bool)
    chosen = np.flatnonzero(ballot.any(axis=0) | arrays["harmonic"] | causal)
    names = labels[chosen].tolist()
    traces = [
        _dots([names[i] for i in np.flatnonzero(ballot[v, chosen])], str(name), OKABE_ITO[0], "circle")
        for v, name in enumerate(voters)
    ]
    if _LOSSES in shown.artifacts:
        traces.append(_dots([names[i] for i in np.flatnonzero(causal[chosen])], _CAUSAL, OKABE_ITO[1], "diamond"))
    harmonic = [names[i] for i in np.flatnonzero(arrays["harmonic"][chosen])]
    traces.append(_dots(harmonic, "harmonic only", NULL, "circle-open"))
    unit = next((basis.unit for basis in shown.bases.values()), "component")
    key = ", ".join(labels[arrays["key"]].tolist()) or "none"
    rows = [*voters.tolist(), *([_CAUSAL] if _LOSSES in shown.artifacts else []), "harmonic only"]
    layout = {
        "title": title(shown, "Votes for components", f"key: {key}"),
        "xaxis": {"title": {"text": unit}, "type": "category", "categoryorder": "array", "categoryarray": names},
        "yaxis": {"type": "category", "categoryorder": "array", "categoryarray": rows, "autorange": "reversed"},
        "showlegend": False,
    }
    return figure(traces, layout)


def _dots(labels: list[str], row: str, colour: str, symbol: str) -> dict[str, Any]:
    place = {"type": "scatter", "mode": "markers", "x": labels, "y": [row] * len(labels)}
    mark = {"size": 14, "color": colour, "symbol": symbol, "line": {"width": 2, "color": colour}}
    return {**place, "marker": mark, "hovertemplate": f"%{{x}}: {row}<extra></extra>"}


VIEWS = (
    View(
        name="keys.presence",
        title="Key components over training",
        synonyms=("key frequencies",),
        grain=Grain.TRAJECTORY,
        draw=presence,
        needs=Needs(reads=(_READS,), bases=("*",), grid=2),
        time_axis="x",
    ),
    View(
        name="keys.votes",
        title="Votes for components",
        synonyms=("key frequencies",),
        grain=Grain.CHECKPOINT,
        draw=votes,
        in_reports=({},),
        needs=Needs(reads=(_READS,), optional=(_LOSSES,), bases=("*",), grid=2),
    ),
)
