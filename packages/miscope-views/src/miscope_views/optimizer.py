"""What Adam does to the weights over training: its averages, and its updates beside the weight decay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from miscope import Choice, Grain, Needs, Toggle, View, ViewData
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope_views.figures import figure, title
from miscope_views.named_arrays import holders
from miscope_views.named_curves import curve, curves_of, level, over_time

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_MOMENTS = "optimizer.moments"
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
)
