"""What one variant's figure shows more than another's: curves, bars and cells, one less the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.figures.comparing.compared_figure import NotCompared, Parts, in_parts, put_together, time_axes
from miscope.figures.comparing.matching import kinds, on_common_places
from miscope.figures.comparing.shared_layout import about_all
from miscope.figures.extents import places
from miscope.figures.trace_columns import values_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["difference"]

Trace = dict[str, Any]

_GRIDS = ("heatmap", "contour")
_OTHER = "the two draw different things"
_OF_ONE = ("text", "texttemplate", "customdata", "hovertemplate", "hovertext", "error_x", "error_y", "stackgroup")
"""What a trace has that is of one variant alone."""
_HOW = {
    "common": "at the places that both have",
    "between": "at the steps of the one that is subtracted, the other read between its own, on straight lines",
}


def difference(first: Figure, second: Figure) -> Figure | NotCompared:
    """The second less the first: curves where both have points, bars by their names, heat maps cell by cell.

    Curves over training that share few places on their time axis are read between the steps of the second, on straight
    lines, and the figure says so, as it does of traces that one of them lacks. Axes of the values are plain, and
    colours have zero in their middle.
    NotCompared, with a reason, where traces have no partner, or lie at other places.
    """
    before, after = in_parts(first), in_parts(second)
    partners = dict(zip(kinds(before.traces), before.traces, strict=True))
    made: list[Trace] = []
    notes: dict[str, None] = {}
    reasons: dict[str, None] = {}
    clocks = time_axes(after.layout)
    for kind, trace in zip(kinds(after.traces), after.traces, strict=True):
        partner = partners.pop(kind, None)
        found = NotCompared(reason=_OTHER) if partner is None else _less(partner, trace, clocks)
        if isinstance(found, NotCompared):
            reasons.setdefault(found.reason)
            continue
        made.append(found[0])
        if found[1]:
            notes.setdefault(found[1])
    if partners:
        reasons.setdefault(_OTHER)
    if not made:
        return NotCompared(reason=next(iter(reasons), "nothing is drawn"))
    layout = _layout(after.layout, made, [*notes, *(f"left out: {reason}" for reason in reasons)])
    layout["meta"] = about_all([after, before])
    return put_together(Parts(traces=made, layout=layout, template=after.template))


def _less(first: Trace, second: Trace, clocks: tuple[str, ...]) -> tuple[Trace, str] | NotCompared:
    kind = second["type"]
    if kind in _GRIDS:
        return _cells(first, second)
    if kind == "bar":
        return _bars(first, second)
    if kind not in ("scatter", "scattergl"):
        return NotCompared(reason=f"a trace of type {kind!r} has no numbers to subtract")
    if second.get("fill") in ("toself", "tonext"):
        return NotCompared(reason="a filled outline is no value")
    over_time = second.get("xaxis", "x") in clocks
    if second.get("yaxis", "y") in clocks:
        return NotCompared(reason="its time axis stands upright")
    found = on_common_places([first, second], between=over_time)
    if found is None:
        return NotCompared(reason="its points lie at other places in each" if not over_time else "no step is in both")
    at, (before, after), how = found
    return {**_bare(second), "x": at, "y": after - before}, _HOW.get(how, "")


def _bare(trace: Trace) -> Trace:
    bare = {key: value for key, value in trace.items() if key not in _OF_ONE}
    return {**bare, "fill": "none"} if trace["type"] in ("scatter", "scattergl") else bare


def _cells(first: Trace, second: Trace) -> tuple[Trace, str] | NotCompared:
    before, after = values_of(first["z"]), values_of(second["z"])
    if before.shape != after.shape:
        shapes = " and ".join(" by ".join(map(str, one.shape)) for one in (before, after))
        return NotCompared(reason=f"the grids have {shapes} cells")
    if before.dtype.hasobject or any(not _alike(places(first, a), places(second, a)) for a in "xy"):
        return NotCompared(reason="the rows or columns of the grids are not the same")
    with np.errstate(invalid="ignore"):  # infinite less infinite: no number
        cells = after.astype(float) - before.astype(float)
    made = {key: value for key, value in _bare(second).items() if not key.startswith("zm") and key != "zauto"}
    if made.get("coloraxis") is None:
        made = {key: value for key, value in made.items() if key != "colorscale"}
        made |= {"autocolorscale": True, "zmin": -_far(cells), "zmax": _far(cells)}
    return {**made, "z": cells}, ""


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(np.all(one == other))


def _bars(first: Trace, second: Trace) -> tuple[Trace, str] | NotCompared:
    along, value = ("y", "x") if second.get("orientation") == "h" else ("x", "y")
    if np.ndim(places(second, along)) != 1 or second.get("base") is not None:
        return NotCompared(reason="its bars have no common ground")
    known = dict(zip(places(first, along).tolist(), values_of(first[value]).tolist(), strict=False))
    pairs = [
        (at, now - known[at])
        for at, now in zip(places(second, along).tolist(), values_of(second[value]).tolist(), strict=False)
        if at in known
    ]
    if not pairs:
        return NotCompared(reason="no bar is in both")
    note = _HOW["common"] if len(pairs) < max(len(known), len(places(second, along))) else ""
    widths = {"width"} if not np.isscalar(second.get("width", 0)) else set()
    bare = {key: val for key, val in _bare(second).items() if key not in widths}
    marker = bare.get("marker", {})
    if not isinstance(marker.get("color", ""), str):
        bare["marker"] = {key: val for key, val in marker.items() if key not in ("color", "coloraxis", "colorscale")}
    return {**bare, along: [at for at, _ in pairs], value: np.array([gap for _, gap in pairs])}, note


def _far(cells: np.ndarray) -> float:
    return float(np.abs(cells[np.isfinite(cells)]).max(initial=0.0)) or 1.0


def _layout(layout: dict[str, Any], made: list[Trace], notes: list[str]) -> dict[str, Any]:
    """Of the second, with plain axes of values around zero, and colours from one end to the other."""
    for name in {name for trace in made if (name := _value_axis(trace)) is not None}:
        key = f"{name[0]}axis{name[1:]}"
        axis = {word: value for word, value in layout.get(key, {}).items() if word not in _OF_VALUES}
        title = axis.get("title", {})
        text = f"difference of {title['text']}" if title.get("text") else "difference"
        layout[key] = {**axis, "title": {**title, "text": text}, "zeroline": True}
    for key in {str(trace["coloraxis"]) for trace in made if trace.get("coloraxis")}:
        far = max(_far(trace["z"]) for trace in made if trace.get("coloraxis") == key)
        scale = {word: value for word, value in layout.get(key, {}).items() if word not in ("colorscale", "cmid")}
        layout[key] = {**scale, "cmin": -far, "cmax": far, "autocolorscale": True}
    layout["shapes"] = [shape for shape in layout.get("shapes", ()) if shape.get("name") != "event"]
    title = layout.get("title", {})
    layout["title"] = {**title, "subtitle": {"text": " · ".join(notes)}}
    return layout


_OF_VALUES = ("type", "range", "dtick", "tickvals", "ticktext", "rangemode", "autorange", "tickformat")


def _value_axis(trace: Mapping[str, Any]) -> str | None:
    """'y2': the axis along which the trace has its numbers; None of a grid."""
    if trace["type"] in _GRIDS:
        return None
    letter = "x" if trace.get("orientation") == "h" else "y"
    return trace.get(f"{letter}axis", letter)
