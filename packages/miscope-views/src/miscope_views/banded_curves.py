"""Quantities over training, each a curve in a band, over many orders of magnitude."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from miscope import ViewData
from miscope.figures.figure_style import OKABE_ITO
from miscope.figures.frame import FEW
from miscope_views.figures import faint, figure, line
from miscope_views.signed_axis import Magnitudes, magnitudes_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["BandedCurve", "banded_over_training"]

_DASHES = ("solid", "dash", "dot", "dashdot")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class BandedCurve:
    """One quantity at each step."""

    name: str
    values: np.ndarray
    half: np.ndarray | None = None
    """Half the width of its band; None where there is none."""
    look: Mapping[str, Any] = field(default_factory=dict)
    """Of its line, where that is not told by its place alone: 'color', 'dash', 'width'."""


def banded_over_training(
    shown: ViewData, steps: np.ndarray, curves: Sequence[BandedCurve], *, title: Mapping[str, Any], unit: str
) -> Figure:
    """On a logarithmic axis where all values are positive, else on one that is logarithmic to both sides."""
    scale = magnitudes_of(curve.values for curve in curves)
    traces = [t for place, curve in enumerate(curves) for t in _traces(shown, steps, curve, scale=scale, place=place)]
    # What an instrument could not define is no fault of the figure.
    gaps = sum(int(np.isnan(trace["y"]).sum()) for trace in traces)
    return figure(traces, {"title": title, "yaxis": scale.axis(unit), "showlegend": len(curves) > 1}, gaps=gaps)


def _traces(
    shown: ViewData, steps: np.ndarray, curve: BandedCurve, *, scale: Magnitudes, place: int
) -> list[dict[str, Any]]:
    turn, number = divmod(place, len(OKABE_ITO) - 1)
    look = {"color": OKABE_ITO[number], "dash": _DASHES[turn % len(_DASHES)], **curve.look}
    colour, name = look["color"], curve.name
    values = np.asarray(curve.values, dtype=np.float64)
    hover = f"{name}: %{{customdata[0]:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
    custom, band = [values], []
    if curve.half is not None and np.isfinite(curve.half).all():
        half = np.asarray(curve.half, dtype=np.float64)
        edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0}, "hoverinfo": "skip"}
        edge |= {"showlegend": False, "legendgroup": name}
        fill = {"fill": "tonexty", "fillcolor": faint(colour, 0.18)}
        low = scale.laid(scale.below(values - half, values))
        band = [{**edge, "y": low}, {**edge, "y": scale.laid(values + half), **fill}]
        hover = hover.replace("4g} at", "4g} ± %{customdata[1]:.2g} at")
        custom.append(half)
    told = {"customdata": np.stack(custom, axis=1), "hovertemplate": hover, "legendgroup": name}
    drawn = line(steps[:0], values[:0], name, colour, line=look)
    mode = "lines" if len(steps) > FEW else "lines+markers"
    return [*band, {**drawn, "mode": mode, "x": steps, "y": scale.laid(values), **told}]
