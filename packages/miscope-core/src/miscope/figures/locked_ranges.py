"""The same axes and colours in every frame: a view at several steps, each drawn within what all of them show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.figures.extents import MEASURED, Span, both, extent, places, with_room
from miscope.figures.trace_columns import values_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["lock_ranges"]

_AXIS = re.compile(r"[xy]axis\d*")

Part = Mapping[str, Any]


def lock_ranges(figures: Sequence[Figure]) -> None:
    """Give each axis and colour scale of the figures, one view at several steps, the range of what any of them shows.

    A range that the view sets is widened to those it sets at other steps. An axis of names has all of them in each
    figure. Left alone are an axis of names that does not say that it is one, and one with a trace whose reach is not in
    its data, a histogram.
    """
    layouts: list[Any] = [figure.layout for figure in figures]
    drawn: list[Any] = [figure.data for figure in figures]
    parts = [layout.to_plotly_json() for layout in layouts]
    traces = [[trace.to_plotly_json() for trace in each] for each in drawn]
    used = {f"{a}axis{t.get(f'{a}axis', a)[1:]}" for each in traces for t in each for a in "xy" if _is_placed(t)}
    for key in sorted(used):
        locked = _locked(key, parts, traces)
        for layout in layouts if locked else ():
            layout[key] = {**layout[key].to_plotly_json(), **locked}
    scales = {scale for each in traces for t in each for scale in (_scale(t), _scale(t.get("marker", {}))) if scale}
    for key in sorted(scales):
        ends = both(_colours(key, part, each) for part, each in zip(parts, traces, strict=True))
        if ends is not None:
            for layout in layouts:
                layout[key] = {**layout[key].to_plotly_json(), **_ends(layout[key].cmid, ends, "c")}
    _lock_own_colours(drawn)


def _is_placed(trace: Part) -> bool:
    return trace["type"] != "table" and "scene" not in trace and trace["type"] not in ("surface", "scatter3d")


def _scale(part: Part) -> str | None:
    return part.get("coloraxis")


def _locked(key: str, layouts: Sequence[Part], traces: Sequence[Sequence[Part]]) -> dict[str, Any]:
    """What the axis of that name is given in every frame; {} where it is left alone."""
    name = key.replace("axis", "")
    on = [[t for t in each if _is_placed(t) and t.get(f"{name[0]}axis", name[0]) == name] for each in traces]
    axes = [layout.get(key, {}) for layout in layouts]
    if any(t["type"] not in MEASURED for each in on for t in each) or any(a.get("type") == "date" for a in axes):
        return {}
    at = [places(t, name[0]) for each in on for t in each]
    if any(axis.get("type") == "category" for axis in axes) or any(one.dtype.hasobject for one in at):
        return _locked_names(axes[0], at) if axes[0].get("type") == "category" else {}
    logarithmic = axes[0].get("type") == "log"
    reach = both(extent(each, one, name, logarithmic=logarithmic) for each, one in zip(on, layouts, strict=True))
    room = reach and with_room(reach, [t for each in on for t in each], logarithmic=logarithmic)
    ends = both(_given(axis, room) for axis in axes)
    return {} if ends is None else _turned(axes[0], ends)


def _locked_names(axis: Part, at: Sequence[np.ndarray]) -> dict[str, Any]:
    """All names in the order in which they come; {} where the view says an order, or writes ticks of its own."""
    if any(one.ndim != 1 for one in at) or any(axis.get(word) for word in ("categoryarray", "tickvals", "range")):
        return {}
    names = list(dict.fromkeys(str(name) for one in at for name in one.tolist() if name is not None))
    if not names:
        return {}
    order = {"type": "category", "categoryorder": "array", "categoryarray": names}
    return order | _turned(axis, (-0.5, len(names) - 0.5))


def _given(axis: Part, reached: Span | None) -> Span | None:
    """The range that the view sets; the reach of what all frames draw where it sets none, or one end alone."""
    low, high = axis.get("range") or (None, None)
    if reached is None or (low is not None and high is not None):
        return None if low is None or high is None else (low, high)
    return (reached[0] if low is None else low, reached[1] if high is None else high)


def _turned(axis: Part, ends: Span) -> dict[str, Any]:
    """The range in the direction that the axis has."""
    first, last = axis.get("range") or (None, None)
    descending = first is not None and last is not None and first > last
    backwards = descending or "reversed" in str(axis.get("autorange", ""))
    return {"range": [*reversed(ends)] if backwards else [*ends], "autorange": False}


def _colours(key: str, layout: Part, traces: Sequence[Part]) -> Span | None:
    """The ends of a colour scale as the view sets them, else of what is coloured by it."""
    given = (layout.get(key, {}).get("cmin"), layout.get(key, {}).get("cmax"))
    if None not in given:
        return given
    cells = [values_of(t["z"]) for t in traces if _scale(t) == key and t.get("z") is not None]
    dots = [values_of(t["marker"]["color"]) for t in traces if _scale(t.get("marker", {})) == key]
    return _least_and_greatest([*cells, *dots])


def _least_and_greatest(arrays: Sequence[np.ndarray]) -> Span | None:
    values = np.concatenate([np.empty(0), *(a.astype(float).reshape(-1) for a in arrays if not a.dtype.hasobject)])
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if len(values) else None


def _ends(middle: float | None, ends: Span, letter: str) -> dict[str, float | None]:
    """Both ends of a colour scale, equally far from its middle where it has one."""
    if middle is not None:
        far = max(abs(end - middle) for end in ends)
        ends = (middle - far, middle + far)
    return {f"{letter}min": ends[0], f"{letter}max": ends[1], f"{letter}mid": None}


def _lock_own_colours(drawn: Sequence[Sequence[Any]]) -> None:
    """Grids that have a colour scale of their own, where every frame has the same traces."""
    if len({tuple(trace.type for trace in each) for each in drawn}) != 1:
        return
    for same in zip(*drawn, strict=True):
        if same[0].type not in ("heatmap", "contour") or same[0].coloraxis is not None:
            continue
        ends = both(
            (one.zmin, one.zmax) if None not in (one.zmin, one.zmax) else _least_and_greatest([values_of(one.z)])
            for one in same
            if one.z is not None
        )
        if ends is not None:
            for one in same:
                one.update(_ends(one.zmid, ends, "z"))
