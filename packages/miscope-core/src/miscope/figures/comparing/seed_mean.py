"""Runs that differ in nothing but their seeds as one: the mean of each curve, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from miscope.figures.comparing.compared_figure import (
    ComparedFigure,
    NotCompared,
    Parts,
    in_parts,
    put_together,
    time_axes,
    translucent,
)
from miscope.figures.comparing.matching import Kind, kinds, on_common_places
from miscope.figures.comparing.shared_layout import about_all
from miscope.figures.figure_style import OKABE_ITO
from miscope.figures.locked_ranges import lock_ranges
from miscope.maths.mean_interval import FEWEST, mean_interval

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["NO_CURVE", "Averaged", "averaged", "seed_mean"]

NO_CURVE = NotCompared(reason="only curves and bars have a mean")
"""Of figures without one, whatever the runs."""
_APART = NotCompared(reason="no curve or bar is at the same places in all of them")
_NO_CURVE, _OUTLINE, _LYING = "what is neither curve nor bars", "filled outlines", "bars that lie"

Trace = dict[str, Any]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Averaged:
    """The mean of several runs."""

    figure: Figure
    """Without a word on how it was made."""
    told: tuple[str, ...]
    """How, and what of theirs it leaves out."""


def seed_mean(members: Sequence[ComparedFigure]) -> Figure | NotCompared:
    """One figure with the mean of each curve at the places that all have, and its 95 % interval; it says how.

    See `averaged`. NotCompared where no curve is in all.
    """
    found = averaged(members)
    if isinstance(found, NotCompared):
        return found
    figure: Any = found.figure
    title = figure.layout.title.to_plotly_json()
    told = (f"mean of {len(members)} runs", *found.told)
    return figure.update_layout(title={**title, "subtitle": {"text": " · ".join(told)}})


def averaged(members: Sequence[ComparedFigure]) -> Averaged | NotCompared:
    """The mean of each curve, and of bars, at the places that all have, and its 95 % interval.

    Student's t over the n runs, at each place for itself; on an axis in powers of ten of the logarithms, so that the
    mean is the geometric one. Where an axis says that nothing is below 0, or none but shares from 0 to 1, intervals end
    there. Of two runs there is no interval. Axes reach over all of them. NotCompared where no
    curve is in all, or none is drawn.
    """
    drawn = [in_parts(member.figure) for member in members]
    by_kind = [dict(zip(kinds(parts.traces), parts.traces, strict=True)) for parts in drawn]
    made: list[Trace] = []
    words: dict[str, None] = {}
    left_out: dict[str, None] = {}
    for number, kind in enumerate(dict.fromkeys(kind for one in by_kind for kind in one)):
        traces = [one[kind] for one in by_kind if kind in one]
        reason = _why_not(kind, traces, len(drawn))
        found = _mean_of(traces, drawn[0].layout, number) if reason is None else NotCompared(reason=reason)
        if isinstance(found, NotCompared):
            left_out.setdefault(found.reason)
            continue
        made += found[0]
        words.setdefault(found[1])
    if not made:
        return NO_CURVE if set(left_out) <= {_NO_CURVE, _OUTLINE, _LYING} else _APART
    layout = {**drawn[0].layout, "shapes": [s for s in drawn[0].layout.get("shapes", ()) if s.get("name") != "event"]}
    layout["meta"] = about_all(drawn)
    layout["title"] = {key: value for key, value in layout.get("title", {}).items() if key != "subtitle"}
    figure = put_together(Parts(traces=made, layout=layout, template=drawn[0].template))
    lock_ranges([figure, *(put_together(in_parts(member.figure)) for member in members)])
    _widen(figure)
    sure = "95 % interval by Student's t at each place" if len(drawn) >= FEWEST else "too few for an interval"
    return Averaged(figure=figure, told=(sure, *filter(None, words), *(f"left out: {what}" for what in left_out)))


def _widen(figure: Any) -> None:
    """Have axes of bars reach over the ends of their whiskers."""
    for trace in figure.data:
        axis = figure.layout[f"yaxis{(trace.yaxis or 'y')[1:]}"]
        if trace.type != "bar" or trace.error_y.array is None or axis.range is None or axis.type == "log":
            continue
        low, high = axis.range
        tops, feet = trace.y + trace.error_y.array, trace.y - trace.error_y.arrayminus
        axis.range = (min(low, float(np.nanmin(feet))), max(high, 1.05 * float(np.nanmax(tops))))


def _mean_of(traces: Sequence[Trace], layout: dict[str, Any], number: int) -> tuple[list[Trace], str] | NotCompared:
    """The mean of one curve, and a word on where it was read."""
    found = on_common_places(traces, between=traces[0].get("xaxis", "x") in time_axes(layout))
    if found is None:
        return NotCompared(reason="curves without a place that all have")
    at, values, how = found
    axis = layout.get(f"yaxis{traces[0].get('yaxis', 'y')[1:]}", {})
    powers = axis.get("type") == "log"
    mean = mean_interval(values, "positive" if powers else "any")
    if not powers:
        mean = np.clip(mean, *_reach(axis, values))
    return _drawn(traces[0], at, mean, _colour(traces[0], number)), _HOW.get(how, "")


def _reach(axis: dict[str, Any], values: np.ndarray) -> tuple[float, float]:
    """Between what the quantity can lie, as its axis says: not below 0 where it begins there, of a share up to 1."""
    from_zero = axis.get("rangemode") in ("tozero", "nonnegative")
    low, high = axis.get("range") or (-np.inf, np.inf)
    share = not from_zero and -0.1 <= low <= 0 and 1 <= high <= 1.1
    least, most = 0.0 if from_zero or share else -np.inf, 1.0 if share else np.inf
    finite = values[np.isfinite(values)]
    inside = bool(((finite >= least) & (finite <= most)).all())
    return (least, most) if inside else (-np.inf, np.inf)


_HOW = {"common": "at the places that all have", "between": "read between the steps of each, on straight lines"}


def _why_not(kind: Kind, traces: Sequence[Trace], count: int) -> str | None:
    """What kind of trace it is where it has no mean."""
    if len(traces) < count:
        return "what some of them lack"
    if kind[0] == "bar":
        return _LYING if traces[0].get("orientation") == "h" else None
    if kind[0] != "scatter":
        return _NO_CURVE
    return _OUTLINE if traces[0].get("fill", "none") != "none" else None


def _colour(trace: Trace, number: int) -> str:
    colour = trace.get("line", {}).get("color") or trace.get("marker", {}).get("color")
    return colour if isinstance(colour, str) else OKABE_ITO[number % len(OKABE_ITO)]


def _drawn(trace: Trace, at: np.ndarray, mean: np.ndarray, colour: str) -> list[Trace]:
    """The curve over its bands: one for each stretch where there is an interval."""
    if trace["type"] == "bar":
        return [_bars(trace, at, mean, colour)]
    middle, low, high = mean
    axes = {name: trace[name] for name in ("xaxis", "yaxis") if name in trace}
    group = {"legendgroup": trace.get("legendgroup") or trace.get("name") or "", **axes}
    name = trace.get("name") or "mean"
    line = {**trace.get("line", {}), "color": colour}
    curve = {"type": "scatter", "mode": trace.get("mode", "lines"), "x": at, "y": middle, "name": name, "line": line}
    curve |= {**group, "showlegend": trace.get("showlegend", True)}
    band: list[Trace] = []
    edge = {"type": "scatter", "mode": "lines", "line": {"width": 0, "color": colour}, **group}
    edge |= {"showlegend": False, "meta": {"edge": True}}
    filled = {"fill": "tonexty", "fillcolor": translucent(colour, 0.2)}
    for here in _stretches(np.isfinite(low) & np.isfinite(high)):
        band.append({**edge, "x": at[here], "y": low[here], "name": f"{name}, from"})
        band.append({**edge, "x": at[here], "y": high[here], "name": f"{name}, to", **filled})
    return [*band, curve]


def _bars(trace: Trace, at: np.ndarray, mean: np.ndarray, colour: str) -> Trace:
    """The bars, each with a whisker for its interval; none where there is no interval."""
    middle, low, high = mean
    kept = {
        name: trace[name]
        for name in ("xaxis", "yaxis", "legendgroup", "showlegend", "width", "offset")
        if name in trace
    }
    made = {
        "type": "bar",
        "x": at,
        "y": middle,
        "name": trace.get("name") or "mean",
        "marker": {"color": colour},
        **kept,
    }
    if not np.isfinite([low, high]).any():
        return made
    lengths = {"array": np.nan_to_num(high - middle), "arrayminus": np.nan_to_num(middle - low)}
    return {**made, "error_y": {"type": "data", "symmetric": False, **lengths, "thickness": 1, "width": 3}}


def _stretches(sure: np.ndarray) -> list[slice]:
    """Where one place after another is."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], sure, [False]]).astype(int)))
    return [slice(start, stop) for start, stop in zip(ends[::2], ends[1::2], strict=True)]
