"""How large the weights are and how they move through their space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from miscope import Choice, Grain, Needs, Toggle, View, ViewData
from miscope.figures.figure_style import OKABE_ITO
from miscope_views.figures import figure, line, title
from miscope_views.named_arrays import holders
from miscope_views.paths import TRAJECTORY_VIEW, VARIANCE_VIEW, VELOCITY_VIEW
from miscope_views.proximity import COMPONENTS_VIEW, JOINT_VIEW, PROXIMITY_VIEW

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_NORMS = "parameters.norms"
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


VIEWS = (
    View(
        name="parameters.norms",
        title="Weight norms",
        grain=Grain.TRAJECTORY,
        draw=norms,
        needs=Needs(reads=(_NORMS,)),
        controls=(
            Choice(name="quantity", options=tuple(_QUANTITIES)),
            Toggle(name="relative", label="relative to the first checkpoint"),
        ),
        time_axis="x",
    ),
    TRAJECTORY_VIEW,
    VARIANCE_VIEW,
    COMPONENTS_VIEW,
    PROXIMITY_VIEW,
    VELOCITY_VIEW,
    JOINT_VIEW,
)
