"""What Adam does to the weights over training: its averages, and its updates beside the weight decay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Toggle, View, ViewData
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope_views.figures import figure, line, title
from miscope_views.named_arrays import holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MOMENTS = "optimizer.moments"
_DASHES = ("solid", "dash", "dot", "dashdot")
_QUANTITIES: Mapping[str, tuple[str, str]] = {
    "sqrt v": ("sqrt_v", "√v, in units of the gradient"),
    "|m| / sqrt v": ("ratio", "|m| / (√v + ε)"),
    "sqrt v, bias-corrected": ("corrected_sqrt_v", "√v̂, in units of the gradient"),
    "|m| / sqrt v, bias-corrected": ("corrected_ratio", "|m̂| / (√v̂ + ε)"),
}


def moments(shown: ViewData, *, quantity: str, of: str) -> Figure:
    """Adam's averages over training: mean (solid) and largest (dotted) of all weights, or the mean of each."""
    arrays = shown.artifacts[_MOMENTS]
    name, unit = _QUANTITIES[quantity]
    if of == "all weights":
        traces = [
            _curve(shown, arrays, f"total/{name}_{which}", which, OKABE_ITO[0], dash=dash)
            for which, dash in (("mean", "solid"), ("max", "dot"))
        ]
    else:
        traces = by_role(shown, arrays, f"{name}_mean")
    note = "of all that Adam trains" if of == "all weights" else "mean of each weight; total: of all that Adam trains"
    return figure(traces, over_time(traces, title(shown, "Adam's averages", note), unit))


def update_over_decay(shown: ViewData, *, roles: bool) -> Figure:
    """Length of Adam's update over that of the weight decay, over training: 1 where the two are in balance."""
    arrays = shown.artifacts[_MOMENTS]
    decayed = [role for role in holders(arrays, "update_over_decay") if role not in ("original", "total")]
    decayed = [role for role in decayed if np.isfinite(arrays[f"{role}/update_over_decay"]).any()]
    if not decayed:
        raise DoesNotApply("no weight is decayed apart from the gradient, so there is no balance of update and decay")
    traces = by_role(shown, arrays, "update_over_decay", decayed if roles else ())
    level = {"type": "scatter", "mode": "lines", "x": arrays["step"], "y": np.ones(len(arrays["step"]))}
    look = {"color": NULL, "width": 1.5, "dash": "dash"}
    traces.append({**level, "name": "in balance", "line": look, "hoverinfo": "skip"})
    note = "of the weights decayed apart from the gradient"
    return figure(traces, over_time(traces, title(shown, "Update over weight decay", note), "|update| / |λ w|"))


def by_role(shown: ViewData, arrays: Arrays, quantity: str, roles: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """A curve of the quantity for each weight, or these of them, and a thick one for all together."""
    named = [role for role in holders(arrays, quantity) if role not in ("original", "total")]
    traces = []
    for i, role in enumerate(named if roles is None else roles):
        turn, place = divmod(i, len(OKABE_ITO) - 1)
        dash = _DASHES[turn % len(_DASHES)]
        traces.append(_curve(shown, arrays, f"{role}/{quantity}", role, OKABE_ITO[place], dash=dash))
    return [*traces, _curve(shown, arrays, f"total/{quantity}", "total", OKABE_ITO[-1], width=2.6)]


def _curve(shown: ViewData, arrays: Arrays, array: str, name: str, colour: str, **look: Any) -> dict[str, Any]:
    hover = f"{name}: %{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
    return line(arrays["step"], arrays[array], name, colour, line=look, hovertemplate=hover)


def over_time(traces: Sequence[Mapping[str, Any]], heading: Mapping[str, Any], unit: str) -> dict[str, Any]:
    """The layout of curves over training: logarithmic where every value is positive."""
    values = np.concatenate([np.ravel(trace["y"]) for trace in traces])
    known = values[np.isfinite(values)]
    axis: dict[str, Any] = {"title": {"text": unit}}
    if len(known) and known.min() > 0:
        axis |= {"type": "log", "exponentformat": "power"}
    return {"title": heading, "yaxis": axis, "showlegend": True}


VIEWS = (
    View(
        name=_MOMENTS,
        title="Adam's averages",
        grain=Grain.TRAJECTORY,
        draw=moments,
        needs=Needs(reads=(_MOMENTS,)),
        controls=(
            Choice(name="quantity", options=tuple(_QUANTITIES)),
            Choice(name="of", options=("all weights", "each weight")),
        ),
        time_axis="x",
    ),
    View(
        name="optimizer.update_over_decay",
        title="Update over weight decay",
        grain=Grain.TRAJECTORY,
        draw=update_over_decay,
        needs=Needs(reads=(_MOMENTS,)),
        controls=(Toggle(name="roles", default=True, label="each weight"),),
        time_axis="x",
    ),
)
