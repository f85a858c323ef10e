"""How large the weights are and how they move through their space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Toggle, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import OKABE_ITO
from miscope_views.figures import figure, line, title
from miscope_views.named_arrays import first_row, holders
from miscope_views.named_curves import curve, curves_of, over_time
from miscope_views.paths import TRAJECTORY_VIEW, VARIANCE_VIEW, VELOCITY_VIEW
from miscope_views.proximity import COMPONENTS_VIEW, JOINT_VIEW, PROXIMITY_VIEW

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_NORMS, _LAYERS = "parameters.norms", "parameters.layers"
_TOGETHER = {"total": ("total", "solid"), "decayed": ("decayed", "dash"), "not_decayed": ("not decayed", "dot")}
_DASHES = ("solid", "dash", "dot", "dashdot")
_QUANTITIES: Mapping[str, str] = {"squares": "sum of squares", "l1": "sum of absolute values"}


def norms(shown: ViewData, *, quantity: str, relative: bool) -> Figure:
    """Size of every weight tensor and of all together over training."""
    arrays = shown.artifacts[_NORMS]
    roles = [role for role in holders(arrays, quantity) if role != "total"]
    traces = []
    for i, role in enumerate([*roles, "total"]):
        values = arrays[f"{role}/{quantity}"]
        if relative:
            values = values / values[0]
        hover = f"{role}: %{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
        turn, place = divmod(i, len(OKABE_ITO) - 1)
        look = {"dash": _DASHES[turn % len(_DASHES)], "width": 1.6}
        colour = OKABE_ITO[place]
        if role == "total":
            colour, look = OKABE_ITO[-1], {"dash": "solid", "width": 2.6}
        traces.append(line(arrays["step"], values, role, colour, line=look, hovertemplate=hover))
    unit = _QUANTITIES[quantity] + (f" relative to {shown.step_label} {int(arrays['step'][0]):,}" if relative else "")
    layout: dict[str, Any] = {
        "title": title(shown, "Size of the weights"),
        "yaxis": {"title": {"text": unit}, "type": "log"},
        "showlegend": True,
    }
    return figure(traces, layout)


def layers(shown: ViewData, *, relative: bool) -> Figure:
    """L2 norm of the weights of each layer over training, of all of them, of the decayed and of the others."""
    arrays = shown.artifacts[_LAYERS]
    named = first_row(arrays["layer"]).tolist()
    there = [name for name in (*named, *_TOGETHER) if (np.nan_to_num(arrays[f"{name}/norm"]) > 0).any()]
    if not there:
        raise DoesNotApply("no layer has a norm that is a number above 0")
    norms_of = {"step": arrays["step"]} | {f"{name}/norm": np.asarray(arrays[f"{name}/norm"]) for name in there}
    if relative:
        norms_of |= {f"{name}/norm": _over_first(norms_of[f"{name}/norm"]) for name in there}
    traces = curves_of(shown, norms_of, "norm", [name for name in named if name in there])
    for name, (words, dash) in _TOGETHER.items():
        if name in there:
            traces.append(curve(shown, norms_of, f"{name}/norm", words, dash=dash, width=2.6))
    unit = "L2 norm" + (f" relative to {shown.step_label} {int(arrays['step'][0]):,}" if relative else "")
    return figure(traces, over_time(traces, title(shown, "Size of the layers"), unit))


def _over_first(values: np.ndarray) -> np.ndarray:
    return values / np.where(values[:1] > 0, values[:1], np.nan)


VIEWS = (
    View(
        name="parameters.norms",
        title="Weight norms",
        synonyms=("L2 norm", "weight decay"),
        grain=Grain.TRAJECTORY,
        draw=norms,
        needs=Needs(reads=(_NORMS,)),
        controls=(
            Choice(name="quantity", options=tuple(_QUANTITIES)),
            Toggle(name="relative", label="relative to the first checkpoint"),
        ),
        time_axis="x",
    ),
    View(
        name=_LAYERS,
        title="Weight norms by layer",
        grain=Grain.TRAJECTORY,
        draw=layers,
        needs=Needs(reads=(_LAYERS,)),
        controls=(Toggle(name="relative", label="relative to the first checkpoint"),),
        time_axis="x",
    ),
    TRAJECTORY_VIEW,
    VARIANCE_VIEW,
    COMPONENTS_VIEW,
    PROXIMITY_VIEW,
    VELOCITY_VIEW,
    JOINT_VIEW,
)
