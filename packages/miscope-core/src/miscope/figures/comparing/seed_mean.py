"""Runs that differ in nothing but their seeds as one: the mean of each curve, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
from miscope.figures.figure_style import OKABE_ITO
from miscope.figures.locked_ranges import lock_ranges
from miscope.maths.mean_interval import FEWEST, mean_interval

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["seed_mean"]

Trace = dict[str, Any]


def seed_mean(members: Sequence[ComparedFigure]) -> Figure | NotCompared:
    """One figure with the mean of each curve at the places that all have, and its 95 % interval.

    Student's t over the n runs, at each place for itself; on an axis in powers of ten of the logarithms, so that the
    mean is the geometric one. Of two runs there is no interval. The figure says what of theirs it leaves out, and its
    axes reach over all of them. NotCompared where no curve is in all.
    """
    drawn = [in_parts(member.figure) for member in members]
    by_kind = [dict(zip(kinds(parts.traces), parts.traces, strict=True)) for parts in drawn]
    clocks = time_axes(drawn[0].layout)
    made: list[Trace] = []
    words: dict[str, None] = {}
    left_out: dict[str, None] = {}
    for number, kind in enumerate(dict.fromkeys(kind for one in by_kind for kind in one)):
        traces = [one[kind] for one in by_kind if kind in one]
        if (reason := _why_not(kind, traces, len(drawn))) is not None:
            left_out.setdefault(reason)
            continue
        found = on_common_places(traces, between=traces[0].get("xaxis", "x") in clocks)
        if found is None:
            left_out.setdefault("curves without a place that all have")
            continue
        at, values, how = found
        words.setdefault(_HOW.get(how, ""))
        upright = f"yaxis{traces[0].get('yaxis', 'y')[1:]}"
        powers = drawn[0].layout.get(upright, {}).get("type") == "log"
        colour = _colour(traces[0], number)
        made += _drawn(traces[0], at, mean_interval(values, "positive" if powers else "any"), colour)
    if not made:
        return NotCompared(reason="no curve has points at the same places in all of them")
    layout = {**drawn[0].layout, "shapes": [s for s in drawn[0].layout.get("shapes", ()) if s.get("name") != "event"]}
    title = layout.get("title", {})
    sure = "95 % interval by Student's t at each place" if len(drawn) >= FEWEST else "too few for an interval"
    told = [f"mean of {len(drawn)} runs", sure, *filter(None, words), *(f"left out: {what}" for what in left_out)]
    layout["title"] = {**title, "subtitle": {"text": " · ".join(told)}}
    figure = put_together(Parts(traces=made, layout=layout, template=drawn[0].template))
    lock_ranges([figure, *(put_together(in_parts(member.figure)) for member in members)])
    return figure


_HOW = {"common": "at the places that all have", "between": "read between the steps of each, on straight lines"}


def _why_not(kind: Kind, traces: Sequence[Trace], count: int) -> str | None:
    """What kind of trace it is where it has no mean."""
    if len(traces) < count:
        return "what some of them lack"
    if kind[0] != "scatter":
        return "what is no curve"
    return "filled outlines" if traces[0].get("fill", "none") != "none" else None


def _colour(trace: Trace, number: int) -> str:
    colour = trace.get("line", {}).get("color") or trace.get("marker", {}).get("color")
    return colour if isinstance(colour, str) else OKABE_ITO[number % len(OKABE_ITO)]


def _drawn(trace: Trace, at: np.ndarray, mean: np.ndarray, colour: str) -> list[Trace]:
    """The curve over its bands: one for each stretch where there is an interval."""
    middle, low, high = mean
    axes = {name: trace[name] for name in ("xaxis", "yaxis") if name in trace}
    group = {"legendgroup": trace.get("legendgroup") or trace.get("name") or "", **axes}
    name = trace.get("name") or "mean"
    line = {**trace.get("line", {}), "color": colour}
    curve = {"type": "scatter", "mode": trace.get("mode", "lines"), "x": at, "y": middle, "name": name, "line": line}
    curve |= {**group, "showlegend": trace.get("showlegend", True)}
    band: list[Trace] = []
    edge = {"type": "scatter", "mode": "lines", "line": {"width": 0, "color": colour}, **group, "showlegend": False}
    filled = {"fill": "tonexty", "fillcolor": translucent(colour, 0.2)}
    for here in _stretches(np.isfinite(low) & np.isfinite(high)):
        band.append({**edge, "x": at[here], "y": low[here], "name": f"{name}, from"})
        band.append({**edge, "x": at[here], "y": high[here], "name": f"{name}, to", **filled})
    return [*band, curve]


def _stretches(sure: np.ndarray) -> list[slice]:
    """Where one place after another is."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], sure, [False]]).astype(int)))
    return [slice(start, stop) for start, stop in zip(ends[::2], ends[1::2], strict=True)]
