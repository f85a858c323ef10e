"""What logits and activations depend on: each factor alone, both together, or the answer alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of
from miscope_views.figures import figure, line, title
from miscope_views.named_arrays import (
    apart,
    basis_note,
    choice_of,
    dominant,
    first_row,
    null_of,
    ticked,
    unit_of,
)

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "factors.shares"
_SITE = choice_of("site", _READS, "blocks", default="logits")
_ANSWERS = choice_of("site", _READS, "answer_share", default="logits")
_SHARE = "share of variance"


def shares(shown: ViewData, *, site: str) -> Figure:
    """Shares of variance over training: each factor alone, the answer, other interactions within a block, the rest."""
    arrays = shown.artifacts[_READS]
    steps = arrays["step"]
    traces = [_layer(steps, values, name, colour) for name, values, colour in _parts(shown, arrays, site)]
    layout = {
        "title": title(shown, f"Shares of variance of {site}", basis_note(arrays, site)),
        "yaxis": {"title": {"text": _SHARE}, "range": [0, 1.0]},
        "legend": {"traceorder": "reversed"},
        "showlegend": True,
    }
    return figure(traces, layout)


def _parts(shown: ViewData, arrays: Mapping[str, np.ndarray], site: str) -> list[tuple[str, np.ndarray, str]]:
    """Names, (T,) shares and colours of the layers, from below; where the answer has no basis, only the factors'."""
    first, second = shown.probe.grid if shown.probe is not None else ("first factor", "second factor")
    within = arrays[f"{site}/within_share"]
    layers = [
        (f"{first} alone", arrays[f"{site}/first_share"], OKABE_ITO[0]),
        (f"{second} alone", arrays[f"{site}/second_share"], OKABE_ITO[5]),
    ]
    if f"{site}/answer" in arrays:
        # The answer lies within the blocks where the task's basis turns the interaction into it, as for a sum.
        answer = np.minimum(arrays[f"{site}/answer"].sum(axis=1), within)
        layers += [("the answer", answer, OKABE_ITO[2]), ("other, within a block", within - answer, OKABE_ITO[4])]
    else:
        layers.append(("both, within a block", within, OKABE_ITO[2]))
    return [*layers, ("between blocks", arrays[f"{site}/across_share"], NULL)]


def _layer(steps: np.ndarray, values: np.ndarray, name: str, colour: str) -> dict[str, Any]:
    hover = f"{name} %{{y:.4f}} at %{{x:,}}<extra></extra>"
    return line(steps, values, name, colour, stackgroup="shares", line={"width": 0.5}, hovertemplate=hover)


def answers(shown: ViewData, *, site: str) -> Figure:
    """Share of variance along each component's functions of the answer, over training, and of the answer in all."""
    arrays = shown.artifacts[_READS]
    steps, whole = arrays["step"], arrays[f"{site}/answer_share"]
    traces = [line(steps, whole, "answer in all", NULL, line={"dash": "dot"})]
    if f"{site}/answer" in arrays:
        share, labels = arrays[f"{site}/answer"], first_row(arrays[f"{site}/answer_label"])
        for k in dominant(share, null_of(steps, share)):
            label = str(labels[k])
            hover = f"{label}: %{{y:.4f}} at {shown.step_label} %{{x:,}}<extra></extra>"
            traces.append(line(steps, share[:, k], label, colour_of(label), hovertemplate=hover))
    layout = {
        "title": title(shown, f"The answer in {site}", basis_note(arrays, site)),
        "yaxis": {"title": {"text": _SHARE}, "rangemode": "tozero"},
        "legend": {"title": {"text": unit_of(shown, arrays, site)}},
        "showlegend": True,
    }
    return figure(traces, layout)


def components(shown: ViewData, *, site: str) -> Figure:
    """Share of the interaction within each component over training; those that dominate at the end are ticked."""
    arrays = shown.artifacts[_READS]
    share, labels = arrays[f"{site}/within"], first_row(arrays[f"{site}/label"])
    strong = apart(dominant(share[-1], null_of(arrays["step"], share)), len(labels))
    steps = arrays["step"]
    unit = unit_of(shown, arrays, site)
    heat = {"type": "heatmap", "x": steps, "y": labels.tolist(), "z": share.T, "coloraxis": "coloraxis"}
    heat["hovertemplate"] = f"{unit}: %{{y}}<br>{shown.step_label} %{{x:,}}<br>{_SHARE} %{{z:.4f}}<extra></extra>"
    layout = {
        "title": title(shown, f"Interactions within a component in {site}", basis_note(arrays, site)),
        "xaxis": {"showgrid": False},
        "yaxis": {"title": {"text": unit}, "type": "category", "tickvals": ticked(labels, strong), "showgrid": False},
        "coloraxis": {"cmin": 0, "cmax": float(share.max(initial=0)) or 1.0, "colorbar": {"title": {"text": _SHARE}}},
    }
    return figure([heat], layout)


def blocks(shown: ViewData, *, site: str) -> Figure:
    """Share of variance in each pair of components of the two factors, the constant's in the first row and column."""
    arrays = shown.artifacts[_READS]
    share = np.asarray(arrays[f"{site}/blocks"], dtype=np.float64)
    first, second = shown.probe.grid if shown.probe is not None else ("first factor", "second factor")
    unit = unit_of(shown, arrays, site)
    floor = -6.0
    # From 0 up: plotly turns a colour scale round where all values are negative.
    seen = np.log10(np.maximum(share, 10.0**floor)) - floor
    ticks = np.arange(floor, 1)
    axis = {"showgrid": False, "constrain": "domain"}
    heat = {"type": "heatmap", "z": seen, "customdata": share, "coloraxis": "coloraxis"}
    heat["hovertemplate"] = f"{first} %{{y}}, {second} %{{x}}<br>{_SHARE} %{{customdata:.2e}}<extra></extra>"
    bar = {"title": {"text": _SHARE}, "tickvals": ticks - floor, "ticktext": [f"10<sup>{int(t)}</sup>" for t in ticks]}
    layout = {
        "title": title(shown, f"Pairs of components in {site}", basis_note(arrays, site) or "0 is the constant"),
        "xaxis": {**axis, "title": {"text": f"{unit} of {second}"}},
        "yaxis": {**axis, "title": {"text": f"{unit} of {first}"}, "autorange": "reversed", "scaleanchor": "x"},
        "coloraxis": {"cmin": 0, "cmax": -floor, "colorbar": bar},
    }
    return figure([heat], layout)


_TIME: dict[str, Any] = {
    "grain": Grain.TRAJECTORY,
    "needs": Needs(reads=(_READS,), bases=("*",), grid=2),
    "time_axis": "x",
}

VIEWS = (
    View(name=_READS, title="What a site depends on", draw=shares, controls=(_SITE,), **_TIME),
    View(
        name="factors.answers",
        title="The answer by component",
        draw=answers,
        controls=(_ANSWERS,),
        **_TIME,
    ),
    View(
        name="factors.components",
        title="Interactions by component over training",
        draw=components,
        controls=(_SITE,),
        **_TIME,
    ),
    View(
        name="factors.blocks",
        title="Pairs of components",
        grain=Grain.CHECKPOINT,
        draw=blocks,
        needs=Needs(reads=(_READS,), bases=("*",), grid=2),
        controls=(_SITE,),
    ),
)
