"""Marks at the events of training, on every axis that counts steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from miscope.figures.axes import Placed, given, panels_along
from miscope.maths.dated_events import long_name
from miscope.view import ViewData

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["MARKED", "add_event_marks", "event_marks", "legible", "marked_events"]

MARKED = ("memorised", "onset", "generalised")
"""Events that every view over training marks; `events.timeline` shows them all."""

_LOW = 0.45
"""Share of a figure's height below which a panel has no room for all words of a label."""

_DENSE = ("heatmap", "contour")
"""Traces that leave no paper free."""

_DARK = "#262626"
_RIM = ", ".join(["0 0 2px #ffffff"] * 6)


def marked_events(shown: ViewData) -> dict[str, float]:
    """The steps of those MARKED that happened."""
    return {name: shown.events[name] for name in MARKED if name in shown.events}


def add_event_marks(figure: Figure, traces: Sequence[Placed], axes: Sequence[str], shown: ViewData) -> None:
    """Mark the events on these axes, through the panels that lie along each; the first has the labels."""
    layout: Any = figure.layout
    marks, added = event_marks(shown), []
    for name in axes if marks else ():
        place, tops = _place(figure, traces, name)
        for mark in marks:
            upright = name[0] == "x"
            along = {} if upright else {"y0": mark["x0"], "y1": mark["x0"]}
            fitting = _fitting(mark["label"], place) if upright else _lying(mark["label"])
            label = fitting if name == axes[0] else {}
            moved = {**mark, **place, **along, "label": label}
            added += [moved] if tops is None else legible(moved, tops)
    if added:
        layout.shapes = (*layout.shapes, *added)


def _fitting(label: Mapping[str, Any], place: Mapping[str, Any]) -> dict[str, Any]:
    """The label, over two lines where it stands in a panel too low for one."""
    if place.get("yref", "paper") != "paper" or place.get("y1", 1.0) - place.get("y0", 0.0) >= _LOW:
        return {**label}
    return {**label, "text": label["text"].replace(" of ", " of<br>")}


def _lying(label: Mapping[str, Any]) -> dict[str, Any]:
    """The label along a line from side to side: below it, where that is not at the foot of the axis."""
    return {**label, "textangle": 0, "padding": 4, "yanchor": "top" if label["yanchor"] == "bottom" else "bottom"}


def event_marks(shown: ViewData) -> list[dict[str, Any]]:
    """Labelled vertical lines at the events of training, in order, through all panels."""
    ordered = sorted(marked_events(shown).items(), key=lambda item: item[1])
    # Two labels that would lie on each other go to opposite ends of their lines.
    last = _last_step(shown, [step for _, step in ordered])
    marks = []
    for i, (name, step) in enumerate(ordered):
        crowded = i % 2 == 1 and step - ordered[i - 1][1] < 0.03 * last
        label = {"text": f"{long_name(name)} {step:,.0f}", "textposition": "start" if crowded else "end"}
        place = {"xref": "x", "yref": "paper", "x0": step, "x1": step, "y0": 0, "y1": 1}
        # Along the text, then across it: inside the panel, and on the side of the line where there is room.
        anchors = {"xanchor": "left" if crowded else "right", "yanchor": "bottom" if step > 0.1 * last else "top"}
        # Plotly pads as if the text lay, which would push its end out of the panel, or the text onto the line.
        turned = {"textangle": -90, **anchors, "padding": 0}
        look = {"type": "line", "name": "event", "line": {"width": 1, "dash": "dot"}}
        marks.append({**look, **place, "label": {**label, **turned}})
    return marks


def _last_step(shown: ViewData, marked: Sequence[float]) -> float:
    """Where the axis that counts steps ends: a curve alone has no checkpoints, but records and events."""
    recorded = [series.steps[-1] for series in shown.metrics.values() if len(series.steps)]
    return float(max([*shown.steps[-1:], *recorded, *marked], default=0))


def _place(figure: Figure, traces: Sequence[Placed], name: str) -> tuple[dict[str, Any], list[float] | None]:
    """Between which sides of what lies along an axis marks are drawn; and where heat maps on it end, None without."""
    dense = [each.y for each in traces if each.on(name) and each.trace.type in _DENSE]
    if name[0] == "y":
        across = next((each.x for each in traces if each.y == name), "x")
        return {"xref": f"{across} domain", "yref": name, "x0": 0, "x1": 1}, [] if dense else None
    panels = panels_along(figure, traces, name)
    # Rows of words have numbers beside their points, which a line would strike through.
    panels = {y: ends for y, ends in panels.items() if y not in _worded(figure, traces)} or panels
    ends = panels.values() or [(0.0, 1.0)]
    place = {"xref": name, "y0": min(low for low, _ in ends), "y1": max(high for _, high in ends)}
    return place, [top for y, (_, top) in panels.items() if y in dense] if dense else None


def _worded(figure: Figure, traces: Sequence[Placed]) -> set[str]:
    """The y axes of rows with words beside their points."""
    with_text = {each.y for each in traces if each.y and "mode" in each.trace and "text" in (each.trace.mode or "")}
    return {y for y in with_text if given(figure, y).get("type") == "category"}


def legible(mark: dict[str, Any], tops: Sequence[float]) -> Iterator[dict[str, Any]]:
    """The mark as dark dots on a light line, so that it shows on every colour of a heat map.

    tops: where heat maps end; a label at such an end lies on colours too, and not on paper.
    """
    yield {**mark, "label": {}, "line": {"width": 3, "color": "rgba(255,255,255,0.7)"}}
    above = bool(mark["label"]) and any(abs(mark["y1"] - top) < 1e-6 for top in tops)
    font = {"font": {"color": _DARK, "shadow": _RIM}} if above else {}
    yield {**mark, "line": {**mark["line"], "color": _DARK}, "label": {**mark["label"], **font}}
