"""How fast the answers move, beside how straight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import OKABE_ITO, TEST, TRAIN
from miscope_views.figures import WIDE, band, figure, formatted, line, panels, title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["VELOCITY_VIEW"]

_READS = "behaviour.velocity"
_STILL = "nothing moves"
_BESIDE_NO_MOVE = " · gaps: beside a move of no length"
_COLOURS = {"train": TRAIN, "test": TEST, "all": OKABE_ITO[2]}


def velocity(shown: ViewData) -> Figure:
    """How fast logits change on training and on test inputs, with 95 % intervals, and how straight they go."""
    arrays = shown.artifacts[_READS]
    middle, inner = arrays["midpoint"], shown.steps[1:-1]
    upper, lower = panels((1.3, 1))
    traces: list[dict[str, Any]] = []
    gaps = 0
    parts = [part for part in _COLOURS if f"{part}/speed" in arrays]
    for part in parts:
        colour, speed, error = _COLOURS[part], arrays[f"{part}/speed"], WIDE * arrays[f"{part}/speed_sem"]
        # A ribbon down to zero has no place on a logarithmic axis.
        traces += band(middle, speed, error.clip(max=0.95 * speed), colour, part)
        at = f"%{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
        traces.append(line(middle, speed, part, colour, legendgroup=part, hovertemplate=f"{part}: {at}"))
        more = {"yaxis": "y2", "showlegend": False, "legendgroup": part, "hovertemplate": f"{part}: cosine {at}"}
        cosine = line(inner, arrays[f"{part}/turning"], part, colour, **more)
        traces.append(cosine)
        gaps += int(np.isnan(cosine["y"]).sum())
    straight = ", ".join(f"{part} {formatted(float(arrays[f'{part}/straightness']), '.2f', _STILL)}" for part in parts)
    note = f"start to end / length of path: {straight}"
    layout: dict[str, Any] = {
        "title": title(shown, "Speed and straightness of the answers", f"{note}{_BESIDE_NO_MOVE if gaps else ''}"),
        "yaxis": {
            "title": {"text": f"change of a logit per {shown.step_label}"},
            "type": "log",
            "domain": upper,
            "exponentformat": "power",
        },
        "yaxis2": {"title": {"text": "cosine with the move before"}, "domain": lower, "range": [-1.05, 1.05]},
        "showlegend": True,
    }
    return figure(traces, layout, gaps=gaps)


VELOCITY_VIEW = View(
    name="behaviour.velocity",
    title="Speed of the answers",
    grain=Grain.TRAJECTORY,
    draw=velocity,
    needs=Needs(reads=(_READS,)),
    time_axis="x",
)
