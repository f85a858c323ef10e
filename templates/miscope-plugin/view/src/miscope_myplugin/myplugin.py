"""Length of all weights together, over training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from miscope import Grain, Needs, Toggle, View, ViewData

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["WEIGHTS_LENGTH"]


def draw_length(shown: ViewData, *, relative: bool) -> Figure:
    """Length of all weights as one vector, at every checkpoint; relative: in units of the first."""
    import plotly.graph_objects as go

    norms = shown.artifacts["parameters.norms"]
    length = np.sqrt(norms["total/squares"])
    values = length / length[0] if relative else length
    unit = "length of the weights, in units of the first" if relative else "length of the weights"
    figure = go.Figure(go.Scatter(x=norms["step"], y=values, mode="lines", name="all weights"))
    return figure.update_layout(yaxis_title=unit)


WEIGHTS_LENGTH = View(
    name="myplugin.length",
    title="Length of the weights",
    grain=Grain.TRAJECTORY,
    needs=Needs(reads=("parameters.norms",)),
    draw=draw_length,
    controls=(Toggle(name="relative"),),
    time_axis="x",
)
