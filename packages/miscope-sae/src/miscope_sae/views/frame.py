"""What the figures of autoencoders have in common: title, curves, numbers in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, ViewData
from miscope.figures.figure_style import NULL, template

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["DEGREE", "dashed", "figure", "line", "title"]

_MOST_BELOW = 100
"""Letters below a title beyond which a card cuts them: names of autoencoders are long."""

DEGREE = Choice(name="degree", options=("H4", "H1"), label="harmonics")
"""H1 counts a frequency alone, H4 with its harmonics up to the fourth."""


def figure(traces: Iterable[Mapping[str, Any]], layout: Mapping[str, Any]) -> Figure:
    """The figure of traces given as plain dictionaries."""
    import plotly.graph_objects as go

    return go.Figure(data=[dict(trace) for trace in traces], layout={"template": template(), **layout})


def title(shown: ViewData, text: str, note: str = "") -> dict[str, Any]:
    """A title, with the variant, the step and a note below it; where they are too long, the family for the variant."""
    at = f"{shown.step_label} {shown.step:,}" if shown.step is not None else ""
    name = "" if shown.members else shown.variant.name
    if len(name) + len(at) + len(note) > _MOST_BELOW:
        name = name.partition("/")[0]
    return {"text": text, "subtitle": {"text": " · ".join(part for part in (name, at, note) if part)}}


def line(x: np.ndarray, y: np.ndarray, name: str, colour: str, **more: Any) -> dict[str, Any]:
    """A curve; of one point a dot."""
    style = {"color": colour, "width": 1.6} | more.pop("line", {})
    mode = "lines" if len(x) != 1 else "lines+markers"
    return {"type": "scatter", "mode": mode, "x": x, "y": y, "name": name, "line": style, **more}


def dashed(x: np.ndarray, y: np.ndarray, name: str, **more: Any) -> dict[str, Any]:
    """What would be seen of nothing learned."""
    return line(x, y, name, NULL, line={"dash": "dash"}, **more)
