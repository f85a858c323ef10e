"""Quantities over training that were estimated: each a curve in a band of two standard errors, over many decades."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from miscope import ViewData
from miscope.figures.figure_style import OKABE_ITO
from miscope_views.figures import figure, line
from miscope_views.signed_axis import Magnitudes, magnitudes_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["EstimatedCurve", "estimated_over_training"]

_DASHES = ("solid", "dash", "dot", "dashdot")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class EstimatedCurve:
    """One quantity at each step."""

    name: str
    values: np.ndarray
    sem: np.ndarray | None = None
    """Standard errors; None where it is exact."""


def estimated_over_training(
    shown: ViewData, steps: np.ndarray, curves: Sequence[EstimatedCurve], *, title: Mapping[str, Any], unit: str
) -> Figure:
    """On a logarithmic axis where all values are positive, else on one that is logarithmic to both sides."""
    scale = magnitudes_of(curve.values for curve in curves)
    traces = [t for place, curve in enumerate(curves) for t in _traces(shown, steps, curve, scale=scale, place=place)]
    return figure(traces, {"title": title, "yaxis": scale.axis(unit), "showlegend": len(curves) > 1})


def _traces(
    shown: ViewData, steps: np.ndarray, curve: EstimatedCurve, *, scale: Magnitudes, place: int
) -> list[dict[str, Any]]:
    turn, number = divmod(place, len(OKABE_ITO) - 1)
    colour, name = OKABE_ITO[number], curve.name
    values = np.asarray(curve.values, dtype=np.float64)
    hover = f"{name}: %{{customdata[0]:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
    custom, band = [values], []
    if curve.sem is not None and np.isfinite(curve.sem).all():
        sem = np.asarray(curve.sem, dtype=np.float64)
        edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0}, "hoverinfo": "skip"}
        edge |= {"showlegend": False, "legendgroup": name}
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        fill = {"fill": "tonexty", "fillcolor": f"rgba({red},{green},{blue},0.18)"}
        low = scale.laid(scale.below(values - 2 * sem, values))
        band = [{**edge, "y": low}, {**edge, "y": scale.laid(values + 2 * sem), **fill}]
        hover = hover.replace("4g} at", "4g} ± %{customdata[1]:.2g} at")
        custom.append(sem)
    told = {"customdata": np.stack(custom, axis=1), "hovertemplate": hover, "legendgroup": name}
    drawn = line(steps[:0], values[:0], name, colour, line={"dash": _DASHES[turn % len(_DASHES)]})
    mode = "lines" if len(steps) > 1 else "lines+markers"
    return [*band, {**drawn, "mode": mode, "x": steps, "y": scale.laid(values), **told}]
