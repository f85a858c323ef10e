"""Progress measures over training: the loss with only the key components, and without them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO, TEST, TRAIN, colour_of
from miscope_views.figures import figure, line, panels, title
from miscope_views.named_arrays import first_row

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS, _FINAL, _SUBSPACE = "progress.losses", "progress.final", "progress.subspace"
_PARTS = ("train", "test", "all")
_NOTE = "key components as voted at each step, none from the future"
_CAUSAL = "those that were ever key or causal; causal: ten times the loss, 10⁻⁵ nats at least"
_SIGNED = ((0.0, "#2166ac"), (0.5, "#f7f7f7"), (1.0, "#b2182b"))


def _parts(reads: str) -> Choice:
    """Parts of the data for which the analyzer left losses."""
    return Choice(name="part", options_from=lambda shown: [p for p in _PARTS if f"full/{p}" in shown.artifacts[reads]])


_PART = _parts(_READS)


def losses(shown: ViewData, *, part: str) -> Figure:
    """Loss, restricted, excluded and trig (own answer's) loss over training; test loss over restricted loss below."""
    arrays = shown.artifacts[_READS]
    steps = arrays["step"]
    whole = {"train loss": ("full/train", TRAIN), "test loss": ("full/test", TEST)}
    shown_as = {"trig": "trig" if _of_waves(shown) else "own answer"}
    measures = {f"{shown_as.get(name, name)} ({part})": (f"{name}/{part}", colour) for name, colour in _COLOURS.items()}
    curves = {name: source for name, source in (whole | measures).items() if source[0] in arrays}
    traces = [line(steps, arrays[key], name, colour) for name, (key, colour) in curves.items()]
    ratio = arrays["full/test" if "full/test" in arrays else "full/all"] / arrays[f"restricted/{part}"]
    traces.append(line(steps, ratio, "", OKABE_ITO[2], yaxis="y2", showlegend=False))
    above, below = panels([3, 1])
    layout = {
        "title": title(shown, "Progress measures", _NOTE),
        "yaxis": {"title": {"text": "loss (nats)"}, "type": "log", "domain": above, "exponentformat": "power"},
        "yaxis2": {"title": {"text": "test / restricted"}, "domain": below, "type": "log"},
        "showlegend": True,
    }
    return figure(traces, layout)


def _of_waves(shown: ViewData) -> bool:
    """Whether the basis is made of sines and cosines, two to a frequency, and no block is larger."""
    sizes = {len(block.rows) for basis in shown.bases.values() for block in basis.components}
    return 2 in sizes and max(sizes) == 2


_COLOURS = {"restricted": OKABE_ITO[2], "excluded": OKABE_ITO[3], "trig": OKABE_ITO[5]}


def excluded(shown: ViewData) -> Figure:
    """Loss on the training set without one component at a time: those once key or causal, and a band of all others."""
    arrays = shown.artifacts[_READS]
    steps, each, labels = arrays["step"], arrays["excluded/each"], first_row(arrays["label"])
    ever, at = _ever(arrays), f"at {shown.step_label} %{{x:,}}<extra></extra>"
    others = np.delete(each, ever, axis=1)
    traces = [line(steps, _whole(arrays), "nothing left out", TRAIN, line={"dash": "dot"})]
    if others.shape[1]:
        edge = {
            "type": "scatter",
            "mode": "lines",
            "x": steps,
            "line": {"width": 0, "color": NULL},
            "hoverinfo": "skip",
        }
        traces.append({**edge, "y": others.min(axis=1), "showlegend": False})
        traces.append({**edge, "y": others.max(axis=1), "name": "any other", "fill": "tonexty", "fillcolor": _BAND})
    for k in ever:
        label = str(labels[k])
        hover = f"{label} left out: %{{y:.3g}} nats {at}"
        traces.append(line(steps, each[:, k], label, colour_of(label), hovertemplate=hover))
    layout = {
        "title": title(shown, "Loss without one component", "those that were ever key or causal in colour"),
        "yaxis": {"title": {"text": "train loss (nats)"}, "type": "log"},
        "legend": {"title": {"text": "left out"}},
        "showlegend": True,
    }
    return figure(traces, layout)


_BAND = "rgba(154,154,154,0.3)"


def _ever(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Components that were key or causal at any step."""
    return np.flatnonzero((arrays["key"] | arrays["causal"]).any(axis=0))


def _whole(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """(T,) loss with nothing left out."""
    return arrays["full/train" if "full/train" in arrays else "full/all"]


def causal(shown: ViewData) -> Figure:
    """Which components are causal: left out alone, they multiply the training loss by ten, to 1e-5 nats or more."""
    arrays = shown.artifacts[_READS]
    labels, key, causes, ever = first_row(arrays["label"]), arrays["key"], arrays["causal"], _ever(arrays)
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.log10(arrays["excluded/each"][:, ever] / _whole(arrays)[:, None])
    steps, seen = arrays["step"], times
    upper, lower = panels((3, 1))
    count = line(arrays["step"], key.sum(axis=1), "key", NULL, yaxis="y2", line={"shape": "hv"})
    causally = line(arrays["step"], causes.sum(axis=1), "causal", OKABE_ITO[0], yaxis="y2", line={"shape": "hv"})
    traces = [count, causally]
    if len(ever):
        hover = f"%{{y}}<br>{shown.step_label} %{{x:,}}<br>loss × 10^%{{z:.2f}} without it<extra></extra>"
        heat = {"type": "heatmap", "x": steps, "y": labels[ever].tolist(), "z": seen.T, "coloraxis": "coloraxis"}
        traces.append({**heat, "ygap": 3, "hovertemplate": hover})
    most = float(np.nanmax(np.abs(times), initial=1.0))
    unit = next((basis.unit for basis in shown.bases.values()), "component")
    bar = {"title": {"text": "log10 of loss without it / loss"}, "len": 0.72, "y": 0.64}
    note = _CAUSAL if len(ever) else "no component is causal"
    layout = {
        "title": title(shown, "What leaving a component out does", note),
        "xaxis": {"showgrid": False},
        "yaxis": {"title": {"text": unit}, "type": "category", "domain": upper, "showgrid": False},
        "yaxis2": {"title": {"text": "components"}, "domain": lower, "rangemode": "tozero"},
        "coloraxis": {"cmin": -most, "cmax": most, "colorscale": _SIGNED, "colorbar": bar},
        "legend": {"orientation": "h", "y": lower[1], "yanchor": "bottom", "x": 1, "xanchor": "right"},
        "showlegend": True,
    }
    return figure(traces, layout, gaps=int((~np.isfinite(seen)).sum()))


def final_keys(shown: ViewData, *, part: str) -> Figure:
    """Restricted and excluded loss with the last checkpoint's key components, and with all that were key so far."""
    arrays = shown.artifacts[_FINAL]
    at = arrays["at"]
    whole = {"train loss": ("full/train", TRAIN), "test loss": ("full/test", TEST)}
    traces = [
        line(at, arrays[name], label, colour, line={"dash": "dot"})
        for label, (name, colour) in whole.items()
        if name in arrays
    ]
    for measure, colour in (("restricted", OKABE_ITO[2]), ("excluded", OKABE_ITO[3])):
        for chosen, dash in (("final", "solid"), ("union", "dash")):
            curve = arrays[f"{chosen}/{measure}/{part}"]
            more = {"mode": "lines+markers", "marker": {"size": 4}, "line": {"dash": dash}}
            traces.append(line(at, curve, f"{measure}, {_SETS[chosen]}", colour, **more))
    key = ", ".join(arrays["label"][arrays["key"]].tolist()) or "none"
    layout = {
        "title": title(shown, f"Progress by the final key components ({part})", f"key at the end: {key}"),
        "yaxis": {"title": {"text": "loss (nats)"}, "type": "log"},
        "showlegend": True,
    }
    return figure(traces, layout)


_SETS = {"final": "final set", "union": "key so far"}


def subspace(shown: ViewData, *, part: str) -> Figure:
    """Loss of the logits in the leading directions of their class means over training, by how many are kept."""
    arrays = shown.artifacts[_SUBSPACE]
    steps, ranks = arrays["step"], first_row(arrays["rank"])
    full = "full/test" if part == "test" else f"full/{part}"
    traces = [line(steps, arrays[full], "all directions", NULL, line={"dash": "dot"})]
    for i, rank in enumerate(ranks):
        hover = f"{rank} directions: %{{y:.3g}} nats at {shown.step_label} %{{x:,}}<extra></extra>"
        curve = arrays[f"restricted/{part}"][:, i]
        traces.append(line(steps, curve, str(rank), OKABE_ITO[i % len(OKABE_ITO)], hovertemplate=hover))
    hover = f"%{{y}} directions hold 99 % at {shown.step_label} %{{x:,}}<extra></extra>"
    dimension = arrays["dimension"]
    traces.append(line(steps, dimension, "", OKABE_ITO[5], yaxis="y2", showlegend=False, hovertemplate=hover))
    upper, lower = panels((3, 1))
    layout = {
        "title": title(shown, f"Loss in few directions of the outputs ({part})", "principal directions of class means"),
        "yaxis": {"title": {"text": "loss (nats)"}, "type": "log", "domain": upper, "exponentformat": "power"},
        "yaxis2": {"title": {"text": "for 99 %"}, "domain": lower, "rangemode": "tozero"},
        "legend": {"title": {"text": "directions kept"}},
        "showlegend": True,
    }
    return figure(traces, layout)


VIEWS = (
    View(
        name=_READS,
        title="Restricted and excluded loss",
        grain=Grain.TRAJECTORY,
        draw=losses,
        needs=Needs(reads=(_READS,), bases=("*",), grid=2),
        controls=(_PART,),
        time_axis="x",
    ),
    View(
        name="progress.excluded",
        title="Loss without one component",
        grain=Grain.TRAJECTORY,
        draw=excluded,
        needs=Needs(reads=(_READS,), bases=("*",), grid=2),
        time_axis="x",
    ),
    View(
        name="progress.causal",
        title="Causal components",
        grain=Grain.TRAJECTORY,
        draw=causal,
        needs=Needs(reads=(_READS,), bases=("*",), grid=2),
        time_axis="x",
    ),
    View(
        name="progress.final_keys",
        title="Progress by the final key components",
        grain=Grain.TRAJECTORY,
        draw=final_keys,
        needs=Needs(reads=(_FINAL,), bases=("*",), grid=2),
        controls=(_parts(_FINAL),),
        time_axis="x",
    ),
    View(
        name=_SUBSPACE,
        title="Loss in few directions of the outputs",
        grain=Grain.TRAJECTORY,
        draw=subspace,
        needs=Needs(reads=(_SUBSPACE,)),
        controls=(_parts(_SUBSPACE),),
        time_axis="x",
    ),
)
