"""What Adam does to the weights over training: its averages, and its updates beside the weight decay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Toggle, View, ViewData
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import OKABE_ITO
from miscope_views.figures import figure, title
from miscope_views.named_arrays import choice_of, holders
from miscope_views.named_curves import curve, curves_of, level, over_time
from miscope_views.optimizer_directions import DIRECTIONS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MOMENTS, _RATES = "optimizer.moments", "optimizer.rates"
_QUANTITIES: Mapping[str, tuple[str, str]] = {
    "sqrt v": ("sqrt_v", "√v, in units of the gradient"),
    "|m| / sqrt v": ("ratio", "|m| / (√v + ε)"),
    "sqrt v, bias-corrected": ("corrected_sqrt_v", "√v̂, in units of the gradient"),
    "|m| / sqrt v, bias-corrected": ("corrected_ratio", "|m̂| / (√v̂ + ε)"),
}
_ALL, _EACH = "all weights", "each weight"
_THICK = {"width": 2.6}


def roles_of(arrays: Arrays, quantity: str) -> tuple[str, ...]:
    """The weights for which there is the quantity, if it is a number at some step."""
    held = (role for role in holders(arrays, quantity) if role not in ("original", "total"))
    return tuple(role for role in held if np.isfinite(arrays[f"{role}/{quantity}"]).any())


def moments(shown: ViewData, *, quantity: str, of: str) -> Figure:
    """Adam's averages over training: mean (solid) and largest (dotted) of all weights, or the mean of each."""
    arrays = shown.artifacts[_MOMENTS]
    name, unit = _QUANTITIES[quantity]
    if of == _ALL:
        note = "of all that Adam trains"
        looks = {"mean": "solid", "max": "dot"}
        traces = [curve(shown, arrays, f"total/{name}_{which}", which, dash=dash) for which, dash in looks.items()]
    else:
        note = "mean of each weight; total: of all that Adam trains"
        traces = curves_of(shown, arrays, f"{name}_mean", roles_of(arrays, f"{name}_mean"))
        traces.append(curve(shown, arrays, f"total/{name}_mean", "total", **_THICK))
    return figure(traces, over_time(traces, title(shown, "Adam's averages", note), unit))


def update_over_decay(shown: ViewData, *, roles: bool) -> Figure:
    """Length of Adam's update over that of the weight decay, over training: 1 where the two are in balance."""
    arrays = shown.artifacts[_MOMENTS]
    decayed = roles_of(arrays, "update_over_decay")
    if not decayed:
        raise DoesNotApply("no weight is decayed apart from the gradient, so there is no balance of update and decay")
    traces = curves_of(shown, arrays, "update_over_decay", decayed if roles else ())
    traces.append(curve(shown, arrays, "total/update_over_decay", "total", **_THICK))
    traces.append(level(arrays, 1.0, "in balance"))
    note = "of the weights decayed apart from the gradient"
    return figure(traces, over_time(traces, title(shown, "Update over weight decay", note), "|update| / |λ w|"))


def rates(shown: ViewData, *, quantity: str) -> Figure:
    """How far each update goes over training: relative to the weight's length, or as the angle by which it turns it.

    Grey, of the angle: where a weight whose scale does not matter settles under independent gradients, with and without
    the momentum.
    """
    arrays = shown.artifacts[_RATES]
    name, unit = _MOVES[quantity]
    traces = curves_of(shown, arrays, name, roles_of(arrays, name))
    if name == "relative_update":
        traces.append(curve(shown, arrays, f"total/{name}", "total", **_THICK))
        note = "rate |u| / |w|, the decay apart"
    else:
        traces += _equilibria(arrays)
        note = "grey: equilibrium where scale does not matter"
    if not traces:
        raise DoesNotApply("no weight has a length, so there is nothing for an update to turn")
    return figure(traces, over_time(traces, title(shown, "How far an update moves the weights", note), unit))


_MOVES: Mapping[str, tuple[str, str]] = {
    "relative update": ("relative_update", "|update| / |w|, per step"),
    "angle": ("angle", "angle per step, radians"),
}


def _equilibria(arrays: Arrays) -> list[dict[str, Any]]:
    """A level for each that differs: weights of one rate and decay share theirs."""
    words = {"equilibrium_angle": ("equilibrium", "dash"), "equilibrium_angle_without_momentum": ("without β₁", "dot")}
    traces = []
    for quantity, (name, dash) in words.items():
        every = {role: np.asarray(arrays[f"{role}/{quantity}"]) for role in roles_of(arrays, quantity)}
        distinct = {values.tobytes(): values for values in every.values()}
        traces += [level(arrays, values, name, dash=dash) for values in distinct.values()]
    return traces


def effective_rate(shown: ViewData, *, of: str) -> Figure:
    """The rate that each number of a weight has, rate / (sqrt(v_hat) + eps), over training: median and quantiles."""
    arrays = shown.artifacts[_RATES]
    quantiles, steps = np.asarray(arrays[f"{of}/effective_rate"]), arrays["step"]
    traces = []
    for (low, high), opacity in (((0, 4), 0.15), ((1, 3), 0.25)):
        edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0}, "hoverinfo": "skip"}
        fill = {"fill": "tonexty", "fillcolor": f"rgba(0,114,178,{opacity})"}
        words = "5 to 95 %" if low == 0 else "25 to 75 %"
        traces += [{**edge, "y": quantiles[:, low], "showlegend": False}, {**edge, "y": quantiles[:, high], **fill}]
        traces[-1]["name"] = words
    traces.append(curve(shown, arrays, f"{of}/effective_rate_median", "median", color=OKABE_ITO[0]))
    heading = title(shown, f"Effective learning rate of {'all weights' if of == 'total' else of}")
    return figure(traces, over_time(traces, heading, "rate / (√v̂ + ε)"))


VIEWS = (
    View(
        name=_MOMENTS,
        title="Adam's averages",
        grain=Grain.TRAJECTORY,
        draw=moments,
        needs=Needs(reads=(_MOMENTS,)),
        controls=(
            Choice(name="quantity", options=tuple(_QUANTITIES)),
            Choice(name="of", options=(_ALL, _EACH)),
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
    View(
        name=_RATES,
        title="How far an update moves the weights",
        grain=Grain.TRAJECTORY,
        draw=rates,
        needs=Needs(reads=(_RATES,)),
        controls=(Choice(name="quantity", options=tuple(_MOVES)),),
        time_axis="x",
    ),
    View(
        name="optimizer.effective_rate",
        title="Effective learning rate",
        synonyms=("step size",),
        grain=Grain.TRAJECTORY,
        draw=effective_rate,
        needs=Needs(reads=(_RATES,)),
        controls=(choice_of("of", _RATES, "effective_rate", default="total"),),
        time_axis="x",
    ),
    *DIRECTIONS,
)
