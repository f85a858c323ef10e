"""How good the frequencies are that a network computes with, over training and one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of
from miscope.figures.frame import figure, line, title
from miscope_modadd.views.band import band

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "viability.margins"
_GREY = "rgba(154,154,154,0.3)"


def margin(shown: ViewData) -> Figure:
    """Margin of the ideal clock with the key frequencies over training, beside the best and random sets of as many."""
    arrays = shown.artifacts[_READS]
    steps, null = arrays["step"], arrays["null"]
    stepped = {"shape": "hv"}
    traces = band(steps, null[:, 0], null[:, 2], _GREY, name="random sets, 95 %")
    for name, label, colour, dash in (
        ("best_margin", "best set of as many", NULL, "dash"),
        ("margin", "key frequencies", OKABE_ITO[0], "solid"),
        ("weighted_margin", "with the logits' amplitudes", OKABE_ITO[1], "solid"),
    ):
        hover = f"{label}: %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
        style = stepped if name != "weighted_margin" else {}
        traces.append(line(steps, arrays[name], label, colour, line={**style, "dash": dash}, hovertemplate=hover))
    count = line(steps, arrays["count"], "", OKABE_ITO[5], yaxis="y2", showlegend=False, line=stepped)
    layout: dict[str, Any] = {
        "title": title(shown, "Margin of an ideal clock", "with the frequencies that are key at each step"),
        "yaxis": {"title": {"text": "margin (amplitudes 1)"}, "domain": [0.32, 1], "rangemode": "tozero"},
        "yaxis2": {"title": {"text": "frequencies"}, "domain": [0, 0.22], "rangemode": "tozero"},
        "showlegend": True,
    }
    return figure([*traces, count], layout)


def quality(shown: ViewData) -> Figure:
    """What each key frequency is worth: the margin lost without it, beside its amplitude in the logits."""
    arrays = shown.artifacts[_READS]
    chosen = np.flatnonzero(arrays["key"])
    names = [str(label) for label in arrays["label"][chosen]]
    colours = [colour_of(name) for name in names]
    worth = {
        "type": "bar",
        "x": names,
        "y": arrays["quality"][chosen],
        "marker": {"color": colours},
        "hovertemplate": "without %{x} the margin is %{y:.3f} less<extra></extra>",
    }
    loud = {
        "type": "bar",
        "x": names,
        "y": arrays["amplitude"][chosen],
        "yaxis": "y2",
        "xaxis": "x2",
        "marker": {"color": colours},
        "hovertemplate": "%{x}: amplitude %{y:.3f}<extra></extra>",
    }
    first = ", ".join(str(k + 1) for k in np.flatnonzero(arrays["canonical"]))
    note = (
        f"margin {float(arrays['margin']):.3f}, above {float(arrays['rank']):.0%} of random sets; like {{{first}}}"
        if len(chosen)
        else "no frequency is key here"
    )
    axis = {"type": "category", "title": {"text": "frequency k"}, "showgrid": False}
    layout: dict[str, Any] = {
        "title": title(shown, "Worth of each frequency", note),
        "xaxis": {**axis, "domain": [0, 0.42]},
        "yaxis": {"title": {"text": "margin lost without it"}, "rangemode": "tozero"},
        "xaxis2": {**axis, "domain": [0.58, 1], "anchor": "y2"},
        "yaxis2": {"title": {"text": "amplitude in the logits"}, "anchor": "x2", "rangemode": "tozero"},
        "showlegend": False,
        "bargap": 0.4,
    }
    return figure([worth, loud], layout)


VIEWS = (
    View(
        name="viability.margin",
        title="Margin of an ideal clock",
        grain=Grain.TRAJECTORY,
        draw=margin,
        needs=Needs(reads=(_READS,), bases=("sum",), grid=2),
        time_axis="x",
    ),
    View(
        name="viability.quality",
        title="Worth of each frequency",
        grain=Grain.CHECKPOINT,
        draw=quality,
        needs=Needs(reads=(_READS,), bases=("sum",), grid=2),
    ),
)
