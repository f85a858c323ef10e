"""What the network loses with the reconstruction in the place of its activation, over the autoencoder's training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope.figures.frame import figure, line
from miscope_sae.rows.probe_parts import ALL, HELD_OUT, SOURCE_TEST, SOURCE_TRAIN, TRAIN
from miscope_sae.views.frame import positive, title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "sae.spliced"
_PARTS = {
    "held out": HELD_OUT,
    "all": ALL,
    "trained on": TRAIN,
    "source trained on": SOURCE_TRAIN,
    "source held out": SOURCE_TEST,
}
_WHOLE = 100
_TOP, _BOTTOM = [0.36, 1], [0, 0.26]


def spliced(shown: ViewData, *, inputs: str) -> Figure:
    """Cross-entropy of the network with reconstructions in the place of its activations, between clean and ablated."""
    arrays, part = shown.artifacts[_READS], _PARTS[inputs]
    steps = arrays["step"]
    levels = (("ce_zero", "zeros", "dot", NULL), ("ce_mean", "mean activation", "dash", NULL))
    traces = [
        _level(steps, arrays[f"{part}/{name}"], label, colour, dash)
        for name, label, dash, colour in (*levels, ("ce_clean", "nothing replaced", "dash", OKABE_ITO[2]))
    ]
    hover = "reconstruction: %{y:.3g} nats<extra></extra>"
    traces.append(line(steps, positive(arrays[f"{part}/ce_sae"]), "reconstruction", OKABE_ITO[0], hovertemplate=hover))
    for name, label, colour, dash in (
        ("accuracy_clean", "nothing replaced", OKABE_ITO[2], "dash"),
        ("accuracy_sae", "reconstruction", OKABE_ITO[0], "solid"),
    ):
        hover = f"{label}: %{{y:.2%}} right<extra></extra>"
        look = {"line": {"dash": dash}, "yaxis": "y2", "showlegend": False, "hovertemplate": hover}
        traces.append(line(steps, arrays[f"{part}/{name}"], label, colour, **look))
    last = {name: float(arrays[f"{part}/{name}"][-1]) for name in ("delta_log10_ce", "ce_recovered", "accuracy_sae")}
    times = _written(10 ** last["delta_log10_ce"])
    share = last["ce_recovered"]
    recovered = f"{share:.4g} recovered, " if np.isfinite(share) else ""
    note = f"{inputs}; at the end {times} times the loss, {recovered}"
    layout: dict[str, Any] = {
        "title": title(shown, "With the reconstruction in its place", f"{note}{last['accuracy_sae']:.2%} right"),
        "yaxis": {"title": {"text": "cross-entropy, nats"}, "type": "log", "nticks": 5, "domain": _TOP},
        "yaxis2": {
            "title": {"text": "accuracy"},
            "domain": _BOTTOM,
            "tickformat": ".0%",
            "nticks": 4,
            "rangemode": "tozero",
        },
        "showlegend": True,
    }
    return figure(traces, layout)


def _written(factor: float) -> str:
    """'1.06', '1,671'."""
    return f"{factor:,.0f}" if factor >= _WHOLE else f"{factor:.3g}"


def _level(steps: np.ndarray, values: np.ndarray, name: str, colour: str, dash: str) -> dict[str, Any]:
    hover = f"{name}: %{{y:.3g}} nats<extra></extra>"
    return line(steps, positive(values), name, colour, line={"dash": dash}, hovertemplate=hover)


def _inputs(shown: ViewData) -> Sequence[str]:
    arrays = shown.artifacts.get(_READS, {})
    return [name for name, part in _PARTS.items() if f"{part}/ce_sae" in arrays]


VIEWS = (
    View(
        name="sae.spliced",
        title="With the reconstruction in the place of the activation",
        synonyms=("CE recovered",),
        grain=Grain.TRAJECTORY,
        draw=spliced,
        needs=Needs(reads=(_READS,)),
        controls=(Choice(name="inputs", options_from=_inputs),),
        time_axis="x",
        in_reports=({},),
    ),
)
