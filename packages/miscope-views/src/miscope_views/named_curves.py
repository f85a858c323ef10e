"""Curves over training, one for each of several names: weights, layers, and all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope_views.figures import line

if TYPE_CHECKING:
    from miscope import ViewData
    from miscope.artifact import Arrays

__all__ = ["curve", "curves_of", "level", "over_time"]

_DASHES = ("solid", "dash", "dot", "dashdot")


def curve(shown: ViewData, arrays: Arrays, array: str, name: str, **look: Any) -> dict[str, Any]:
    """The array over the steps; look: of plotly's line."""
    hover = f"{name}: %{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
    colour = look.pop("color", OKABE_ITO[-1])
    return line(arrays["step"], arrays[array], name, colour, line=look, hovertemplate=hover)


def curves_of(shown: ViewData, arrays: Arrays, quantity: str, names: Iterable[str]) -> list[dict[str, Any]]:
    """'NAME/quantity' of each of these, in colours and then dashes of their own."""
    curves = []
    for i, name in enumerate(names):
        turn, place = divmod(i, len(OKABE_ITO) - 1)
        look = {"color": OKABE_ITO[place], "dash": _DASHES[turn % len(_DASHES)]}
        curves.append(curve(shown, arrays, f"{name}/{quantity}", name, **look))
    return curves


def level(arrays: Arrays, values: np.ndarray | float, name: str, *, dash: str = "dash") -> dict[str, Any]:
    """A grey reference, the same at every step or an array of the steps."""
    steps = arrays["step"]
    look = {"color": NULL, "width": 1.5, "dash": dash}
    across = {
        "type": "scatter",
        "mode": "lines",
        "x": steps,
        "y": np.broadcast_to(np.asarray(values, float), steps.shape),
    }
    return {**across, "name": name, "line": look, "hoverinfo": "skip"}


def over_time(traces: Sequence[Mapping[str, Any]], heading: Mapping[str, Any], unit: str) -> dict[str, Any]:
    """The layout of curves over training: logarithmic where every value is positive."""
    known = [values[np.isfinite(values)] for values in (np.ravel(trace["y"]) for trace in traces)]
    least = [values.min() for values in known if len(values)]
    axis: dict[str, Any] = {"title": {"text": unit}}
    if least and min(least) > 0:
        axis |= {"type": "log", "exponentformat": "power"}
    return {"title": heading, "yaxis": axis, "showlegend": True}
