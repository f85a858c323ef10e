"""What the figures here have in common: title, time axis, event marks, bands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Toggle, ViewData
from miscope.figures.figure_style import template

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["CLOCK", "MARKS", "band", "clock_axis", "event_marks", "figure", "line", "title"]

CLOCK = Choice(name="clock", options=("linear", "log"), label="time axis")
MARKS = Toggle(name="events", default=True, label="event marks")

_MARKED = ("memorised", "onset", "generalised")


def figure(traces: Iterable[Mapping[str, Any]], layout: Mapping[str, Any]) -> Figure:
    """The figure of traces given as plain dictionaries."""
    import plotly.graph_objects as go

    return go.Figure(data=[dict(trace) for trace in traces], layout={"template": template(), **layout})


def title(shown: ViewData, text: str, note: str = "") -> dict[str, Any]:
    """A title, with the variant, the step and a note below it."""
    at = f"{shown.step_label} {shown.step:,}" if shown.step is not None else ""
    return {"text": text, "subtitle": {"text": " · ".join(part for part in (shown.variant.name, at, note) if part)}}


def clock_axis(shown: ViewData, clock: str) -> dict[str, Any]:
    """The axis that counts steps."""
    if clock == "log":
        return {"title": {"text": f"{shown.step_label} (log; 0 is not shown)"}, "type": "log", "dtick": 1}
    return {"title": {"text": shown.step_label}, "tickformat": ","}


def event_marks(shown: ViewData, on: bool) -> list[dict[str, Any]]:
    """Labelled vertical lines at the events of training, through all panels."""
    marked = sorted((shown.events[name], name) for name in _MARKED if name in shown.events) if on else []
    marks = []
    for step, name in marked:
        label = {"text": f"{name} {step:,.0f}", "textposition": "end", "textangle": -90, "xanchor": "right"}
        place = {"xref": "x", "yref": "paper", "x0": step, "x1": step, "y0": 0, "y1": 1}
        marks.append({"type": "line", **place, "line": {"width": 1, "dash": "dot"}, "label": {**label, "padding": 3}})
    return marks


def line(x: np.ndarray, y: np.ndarray, name: str, colour: str, **more: Any) -> dict[str, Any]:
    """A curve over training."""
    style = {"color": colour, "width": 1.6} | more.pop("line", {})
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "name": name, "line": style, **more}


def band(x: np.ndarray, low: np.ndarray, high: np.ndarray, fill: str, **more: Any) -> list[dict[str, Any]]:
    """The area between two curves; fill: a colour that lets what is behind show through."""
    edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0, "color": fill}, "hoverinfo": "skip"}
    named = {"showlegend": "name" in more, **more}
    return [{**edge, **more, "y": low, "showlegend": False}, {**edge, **named, "y": high, "fill": "tonexty"}]
