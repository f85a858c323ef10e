"""The slope and the curvature of the loss over training, with the errors of what is estimated and nulls beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import OKABE_ITO
from miscope_views.figures import figure, line, title
from miscope_views.named_arrays import holders
from miscope_views.signed_axis import Magnitudes, magnitudes_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_GRADIENT, _TRACE = "curvature.gradient", "curvature.trace"
_WHOLE, _EACH = "all weights", "each tensor"
_DASHES = ("solid", "dash", "dot", "dashdot")
_BANDS = "bands: ± 2 standard errors"


def gradient(shown: ViewData, *, of: str) -> Figure:
    """Length of the gradient of the training loss over training, of all weights or of each tensor."""
    arrays = shown.artifacts[_GRADIENT]
    if of == _EACH:
        curves = [(role, arrays[f"{role}/norm"], None) for role in holders(arrays, "norm")]
    else:
        curves = [(_WHOLE, arrays["norm"], None)]
    return _over_training(shown, arrays["step"], curves, ("Gradient of the training loss", "", "|dL/dθ|"))


def trace(shown: ViewData, *, of: str) -> Figure:
    """Trace of the Hessian of the training loss over training, of all weights or of each tensor's block."""
    arrays = shown.artifacts[_TRACE]
    if of == _EACH and not holders(arrays, "trace"):
        raise DoesNotApply("it was computed with Hutch++, which gives no traces of single tensors")
    names = holders(arrays, "trace") if of == _EACH else ()
    curves = [(role, arrays[f"{role}/trace"], arrays[f"{role}/trace/sem"]) for role in names]
    curves = curves or [(_WHOLE, arrays["trace"], arrays["trace/sem"])]
    return _over_training(shown, arrays["step"], curves, ("Hessian trace of the training loss", _BANDS, "tr d²L/dθ²"))


Curve = tuple[str, np.ndarray, np.ndarray | None]
"""A name, values over training, and their standard errors where they are estimates."""


def _over_training(shown: ViewData, steps: np.ndarray, curves: Sequence[Curve], words: Sequence[str]) -> Figure:
    """words: the title, a note and what stands beside the axis."""
    scale = magnitudes_of(values for _, values, _ in curves)
    traces = [
        trace for place, curve in enumerate(curves) for trace in _with_band(shown, steps, curve, scale, _look(place))
    ]
    heading, note, unit = words
    layout = {"title": title(shown, heading, note), "yaxis": scale.axis(unit), "showlegend": len(curves) > 1}
    return figure(traces, layout)


def _look(place: int) -> dict[str, str]:
    turn, colour = divmod(place, len(OKABE_ITO) - 1)
    return {"color": OKABE_ITO[colour], "dash": _DASHES[turn % len(_DASHES)]}


def _with_band(
    shown: ViewData, steps: np.ndarray, curve: Curve, scale: Magnitudes, look: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The curve, behind it two standard errors to either side."""
    name, given, sem = curve
    values = np.asarray(given, dtype=np.float64)
    hover = f"{name}: %{{customdata[0]:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
    custom, traces = [values], []
    if sem is not None and np.isfinite(sem).all():
        wide = 2 * np.asarray(sem, dtype=np.float64)
        edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0}, "hoverinfo": "skip"}
        edge |= {"showlegend": False, "legendgroup": name}
        red, green, blue = (int(look["color"][i : i + 2], 16) for i in (1, 3, 5))
        fill = {"fill": "tonexty", "fillcolor": f"rgba({red},{green},{blue},0.18)"}
        low = scale.laid(scale.below(values - wide, values))
        traces += [{**edge, "y": low}, {**edge, "y": scale.laid(values + wide), **fill}]
        hover = hover.replace("4g} at", "4g} ± %{customdata[1]:.2g} at")
        custom.append(np.asarray(sem, dtype=np.float64))
    told = {"customdata": np.stack(custom, axis=1), "hovertemplate": hover, "legendgroup": name}
    mode = "lines" if len(steps) > 1 else "lines+markers"
    drawn = line(steps[:0], values[:0], name, look["color"], line={"dash": look["dash"]})
    return [*traces, {**drawn, "mode": mode, "x": steps, "y": scale.laid(values), **told}]


_OF = Choice(name="of", options=(_WHOLE, _EACH))

VIEWS = (
    View(
        name="curvature.gradient",
        title="Gradient of the training loss",
        grain=Grain.TRAJECTORY,
        draw=gradient,
        needs=Needs(reads=(_GRADIENT,)),
        controls=(_OF,),
        time_axis="x",
    ),
    View(
        name="curvature.trace",
        title="Hessian trace of the training loss",
        grain=Grain.TRAJECTORY,
        draw=trace,
        needs=Needs(reads=(_TRACE,)),
        controls=(_OF,),
        time_axis="x",
        in_reports=({},),
    ),
)
