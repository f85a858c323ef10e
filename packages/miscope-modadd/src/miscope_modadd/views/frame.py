"""What the figures here have in common: title, lines, bands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import ViewData
from miscope.figures.figure_style import template

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["band", "figure", "line", "title"]


def figure(traces: Iterable[Mapping[str, Any]], layout: Mapping[str, Any]) -> Figure:
    """The figure of traces given as plain dictionaries."""
    import plotly.graph_objects as go

    return go.Figure(data=[dict(trace) for trace in traces], layout={"template": template(), **layout})


def title(shown: ViewData, text: str, note: str = "") -> dict[str, Any]:
    """A title, with the variant, the step and a note below it."""
    at = f"{shown.step_label} {shown.step:,}" if shown.step is not None else ""
    return {"text": text, "subtitle": {"text": " · ".join(part for part in (shown.variant.name, at, note) if part)}}


def line(x: np.ndarray, y: np.ndarray, name: str, colour: str, **more: Any) -> dict[str, Any]:
    """A curve over training."""
    style = {"color": colour, "width": 1.6} | more.pop("line", {})
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "name": name, "line": style, **more}


def band(x: np.ndarray, low: np.ndarray, high: np.ndarray, fill: str, **more: Any) -> list[dict[str, Any]]:
    """The area between two curves; fill: a colour that lets what is behind show through."""
    edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0, "color": fill}, "hoverinfo": "skip"}
    named = {"showlegend": "name" in more, **more}
    return [{**edge, **more, "y": low, "showlegend": False}, {**edge, **named, "y": high, "fill": "tonexty"}]
