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
from miscope.figures.comparing.matching import kinds, on_common_places
from miscope.figures.figure_style import OKABE_ITO
from miscope.maths.mean_interval import FEWEST, mean_interval

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["seed_mean"]

Trace = dict[str, Any]


def seed_mean(members: Sequence[ComparedFigure]) -> Figure | NotCompared:
    """One figure with the mean of each curve at the places that all have, and its 95 % interval.

    Student's t over the n runs, at each place for itself; on an axis in powers of ten of the logarithms, so that the
    mean is the geometric one. Of two runs there is no interval. NotCompared where no curve is in all.
    """
    drawn = [in_parts(member.figure) for member in members]
    by_kind = [dict(zip(kinds(parts.traces), parts.traces, strict=True)) for parts in drawn]
    clocks = time_axes(drawn[0].layout)
    made: list[Trace] = []
    read_between = False
    for number, kind in enumerate(by_kind[0]):
        traces = [one[kind] for one in by_kind if kind in one]
        if len(traces) < len(drawn) or kind[0] != "scatter" or traces[0].get("fill", "none") != "none":
            continue
        found = on_common_places(traces, between=traces[0].get("xaxis", "x") in clocks)
        if found is None:
            continue
        at, values, how = found
        read_between |= how == "between"
        upright = f"yaxis{traces[0].get('yaxis', 'y')[1:]}"
        powers = drawn[0].layout.get(upright, {}).get("type") == "log"
        colour = _colour(traces[0], number)
        made += _drawn(traces[0], at, mean_interval(values, "positive" if powers else "any"), colour)
    if not made:
        return NotCompared(reason="no curve has points at the same places in all of them")
    layout = {**drawn[0].layout, "shapes": [s for s in drawn[0].layout.get("shapes", ()) if s.get("name") != "event"]}
    title = layout.get("title", {})
    layout["title"] = {**title, "subtitle": {"text": _how(len(drawn), read_between=read_between)}}
    return put_together(Parts(traces=made, layout=layout, template=drawn[0].template))


def _how(count: int, *, read_between: bool) -> str:
    words = [f"mean of {count} runs"]
    words.append("95 % interval by Student's t at each place" if count >= FEWEST else "too few for an interval")
    return " · ".join([*words, *(["read between the steps of each, on straight lines"] if read_between else [])])


def _colour(trace: Trace, number: int) -> str:
    colour = trace.get("line", {}).get("color") or trace.get("marker", {}).get("color")
    return colour if isinstance(colour, str) else OKABE_ITO[number % len(OKABE_ITO)]


def _drawn(trace: Trace, at: np.ndarray, mean: np.ndarray, colour: str) -> list[Trace]:
    """The curve over its band; the band where there is an interval."""
    middle, low, high = mean
    axes = {name: trace[name] for name in ("xaxis", "yaxis") if name in trace}
    group = {"legendgroup": trace.get("legendgroup") or trace.get("name") or "", **axes}
    name = trace.get("name") or "mean"
    line = {**trace.get("line", {}), "color": colour}
    curve = {"type": "scatter", "mode": trace.get("mode", "lines"), "x": at, "y": middle, "name": name, "line": line}
    curve |= {**group, "showlegend": trace.get("showlegend", True)}
    sure = np.isfinite(low) & np.isfinite(high)
    if not sure.any():
        return [curve]
    edge = {"type": "scatter", "mode": "lines", "x": at[sure], "line": {"width": 0, "color": colour}, **group}
    edge |= {"showlegend": False}
    below = {**edge, "y": low[sure], "name": f"{name}, from"}
    above = {**edge, "y": high[sure], "name": f"{name}, to", "fill": "tonexty", "fillcolor": translucent(colour, 0.2)}
    return [below, above, curve]
