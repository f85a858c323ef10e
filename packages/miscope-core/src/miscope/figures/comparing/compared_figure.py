"""One variant's figure among those it is compared with, and what is said where figures cannot be put together."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["ComparedFigure", "NotCompared", "Parts", "in_parts", "put_together", "time_axes", "translucent"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ComparedFigure:
    """What a view drew of one variant."""

    label: str
    """What tells the variant from the others: 'seed=485'."""
    colour: str
    """That of the variant wherever it is compared, as '#rrggbb'."""
    figure: Figure
    """As it was drawn; never changed."""


@final
@dataclass(frozen=True, kw_only=True)
class NotCompared:
    """Why figures cannot be put together that way."""

    reason: str
    """A clause: 'a heat map cannot be laid over another'."""


@final
@dataclass(kw_only=True, eq=False)
class Parts:
    """A copy of a figure as plain values, to be changed."""

    traces: list[dict[str, Any]]
    layout: dict[str, Any]
    template: Any


def in_parts(figure: Figure) -> Parts:
    """The figure's traces and layout, copied; without outlines of bars, which are for the eye and compare nothing."""
    drawn: Any = figure
    layout = {key: value for key, value in drawn.layout.to_plotly_json().items() if key != "template"}
    traces = [trace.to_plotly_json() for trace in drawn.data]
    traces = [copy.deepcopy(trace) for trace in traces if not _outlines(trace)]
    return Parts(traces=traces, layout=copy.deepcopy(layout), template=drawn.layout.template)


def _outlines(trace: Mapping[str, Any]) -> bool:
    return trace.get("type") == "bar" and trace.get("hoverinfo") == "skip"


def put_together(parts: Parts) -> Figure:
    """The figure of these parts."""
    import plotly.graph_objects as go

    made = go.Figure(data=parts.traces, layout=parts.layout)
    return made.update_layout(template=parts.template)


def time_axes(layout: dict[str, Any]) -> tuple[str, ...]:
    """The axes of a drawn figure that count steps: ('x', 'x2')."""
    return tuple(layout.get("meta", {}).get("miscope", {}).get("time_axes", ()))


def translucent(colour: str, opacity: float) -> str:
    """A colour '#rrggbb' that lets through what lies behind it; any other as it is."""
    if not re.fullmatch("#[0-9a-fA-F]{6}", colour):
        return colour
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
