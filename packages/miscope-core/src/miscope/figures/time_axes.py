"""Axes that count steps, the same in every figure: their title, their scale, and marks at the events of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.figures.axes import Placed, given, key_of, panels_along, placed
from miscope.figures.event_marks import add_event_marks
from miscope.figures.step_points import note_step_points
from miscope.view import EVENT_MARKS, STEP_SCALE, View, ViewData

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["apply_time_axes"]

_NAMES = ("category", "multicategory", "date")
"""Types of axes that count no steps."""

_BY_CELL = ("z", "customdata", "text")
"""What a heat map has of each of its cells."""

_BY_POINT = (
    *("x", "y", "customdata", "text", "hovertext", "marker.color", "marker.size"),
    *("error_x.array", "error_x.arrayminus", "error_y.array", "error_y.arrayminus"),
)
"""What a line or a cloud has of each of its points."""


def apply_time_axes(figure: Figure, view: View, shown: ViewData, controls: Mapping[str, Any]) -> tuple[str, ...]:
    """Give each axis that counts steps its title, its scale and the marks of events; what the figure set itself stays.

    Those axes, which are returned as ('x', 'x2'), are the ones that the figure names in `layout.meta["time_axes"]`,
    else all of the view's `time_axis` on which there is a trace, without those of names. A view that has its own
    way of marking events declares EVENT_MARKS, or another control of that name, and draws them itself. Paths say of
    themselves which steps their points are (`step_points`).
    """
    declared: Any = figure.layout["meta"] or {}
    traces = placed(figure)
    axes = tuple(declared["time_axes"]) if "time_axes" in declared else _counting(figure, traces, view.time_axis)
    logarithmic = STEP_SCALE in view.all_controls and controls[STEP_SCALE.name] == "log"
    for name in axes:
        _apply_scale(figure, traces, name, step_label=shown.step_label, logarithmic=logarithmic)
    if EVENT_MARKS in view.time_controls and controls[EVENT_MARKS.name]:
        add_event_marks(figure, traces, axes, shown)
    note_step_points(traces, axes, shown)
    return axes


def _counting(figure: Figure, traces: Sequence[Placed], letter: str | None) -> tuple[str, ...]:
    """Every axis of that letter that a trace is drawn on and whose type may count steps, in order."""
    if letter is None:
        return ()
    names = dict.fromkeys(name for each in traces if (name := each.x if letter == "x" else each.y) is not None)
    return tuple(name for name in names if given(figure, name).get("type") not in _NAMES)


def _apply_scale(figure: Figure, traces: Sequence[Placed], name: str, *, step_label: str, logarithmic: bool) -> None:
    axis = given(figure, name)
    title = axis.get("title", {})
    text = title.get("text") or step_label
    if logarithmic and "type" not in axis:
        text = f"{text} (log; 0 is not shown)"
        # A range is in powers of ten there: one that was meant for steps would be far off.
        axis = {"type": "log", "dtick": 1, **axis, "range": None}
        for each in traces:
            if each.on(name):
                _leave_out_step_0(each.trace, name[0])
    if name[0] == "x" and len(panels := panels_along(figure, traces, name)) > 1:
        axis = {"anchor": min(panels, key=lambda y: panels[y]), **axis}
    figure.layout[key_of(name)] = {"tickformat": ",", **axis, "title": {**title, "text": text}}


def _leave_out_step_0(trace: Any, letter: str) -> None:
    """Drop what a logarithmic axis cannot place: plotly draws no heat map that has such cells, and a line from far
    away to the first place that there is, as if nothing had changed until then."""
    places = np.asarray(trace[letter])
    if places.ndim != 1 or places.dtype.kind not in "iuf" or (places > 0).all():
        return
    if "z" in trace:
        _keep(trace, _BY_CELL, places > 0, dimension=1 if letter == "x" else 0)
        trace[letter] = places[places > 0]
    elif "mode" in trace:
        _keep(trace, _BY_POINT, places > 0, dimension=0)


def _keep(trace: Any, parts: Sequence[str], kept: np.ndarray, *, dimension: int) -> None:
    """Cut each of those parts that has an entry along that dimension for each place to the places that are kept."""
    least = 2 if parts is _BY_CELL else 1
    for part in (name for name in parts if name in trace):
        values = np.asarray(trace[part]) if isinstance(trace[part], list | tuple) else trace[part]
        if isinstance(values, np.ndarray) and values.ndim >= least and values.shape[dimension] == len(kept):
            trace[part] = np.compress(kept, values, axis=dimension)
