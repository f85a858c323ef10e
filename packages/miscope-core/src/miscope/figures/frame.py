"""What plain figures have in common: traces as dictionaries, a title that says of what they are, curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miscope.figures.figure_style import template

if TYPE_CHECKING:
    import numpy as np
    from plotly.graph_objects import Figure

    from miscope.view import ViewData

__all__ = ["FEW", "figure", "line", "title"]

FEW = 8
"""Points of a curve up to which each has a mark: there is little else to see where the checkpoints are."""


def figure(traces: Iterable[Mapping[str, Any]], layout: Mapping[str, Any]) -> Figure:
    """The figure of traces given as plain dictionaries."""
    import plotly.graph_objects as go

    return go.Figure(data=[dict(trace) for trace in traces], layout={"template": template(), **layout})


def title(shown: ViewData, text: str, note: str = "") -> dict[str, Any]:
    """A title, with the variant, the step and a note below it."""
    at = f"{shown.step_label} {shown.step:,}" if shown.step is not None else ""
    return {"text": text, "subtitle": {"text": " · ".join(part for part in (shown.variant.name, at, note) if part)}}


def line(x: np.ndarray | Sequence[str], y: np.ndarray, name: str, colour: str, **more: Any) -> dict[str, Any]:
    """A curve; of few points with a mark at each."""
    style = {"color": colour, "width": 1.6} | more.pop("line", {})
    mode = more.pop("mode", "lines" if len(x) > FEW else "lines+markers")
    return {"type": "scatter", "mode": mode, "x": x, "y": y, "name": name, "line": style, **more}
