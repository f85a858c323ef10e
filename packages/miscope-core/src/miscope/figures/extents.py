"""How far what a figure draws reaches along one of its axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from miscope.figures.trace_columns import values_of

__all__ = ["MEASURED", "Span", "both", "extent", "places", "with_room"]

MEASURED = ("bar", "contour", "heatmap", "scatter", "scattergl")
"""Types of traces whose reach is known."""

_FREE = 0.05
"""Of the reach, left free on either side of points and bars."""

_BELOW_BARS = float(np.log10(2))
"""Powers of ten left free below bars on a logarithmic axis, where the lowest would have no height."""

Part = Mapping[str, Any]
Span = tuple[float, float]


def extent(traces: Sequence[Part], layout: Part, name: str, *, logarithmic: bool) -> Span | None:
    """From the least to the greatest along the axis 'x2' of what these traces, and the shapes on it, draw; None of
    nothing. In powers of ten where the axis is logarithmic.
    """
    bars = [trace for trace in traces if trace["type"] == "bar"]
    held = [_reach(trace, name[0]) for trace in traces if trace["type"] != "bar"]
    held += [_shape(shape, name) for shape in layout.get("shapes", ())]
    held += _bars(bars, name[0], stacked=layout.get("barmode") in ("stack", "relative"))
    values = np.concatenate([np.empty(0), *held])
    if layout.get(f"{name[0]}axis{name[1:]}", {}).get("rangemode") in ("tozero", "nonnegative") and len(values):
        values = np.append(values, 0.0)
    if logarithmic:
        values = np.log10(values[values > 0])
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    low, high = float(values.min()), float(values.max())
    return (low - _BELOW_BARS if logarithmic and bars else low, high)


def with_room(ends: Span, traces: Iterable[Part], *, logarithmic: bool) -> Span:
    """The ends with room beside points and above bars, none beside the cells of grids."""
    if all("z" in trace for trace in traces):
        return ends
    low, high = ends
    room = _FREE * ((high - low) or abs(high) or 1.0)
    return (low if low == 0 and not logarithmic else low - room), high + room


def both(spans: Iterable[Span | None]) -> Span | None:
    """From the least to the greatest of all the ends; None where there are none."""
    ends = [end for span in spans if span is not None for end in span]
    return (min(ends), max(ends)) if ends else None


def places(trace: Part, letter: str) -> np.ndarray:
    """Where a trace's points or cells are along an axis; names as they are given; from 0 where nothing is said."""
    if trace.get(letter) is not None:
        numbers = values_of(trace[letter])
        return np.asarray(trace[letter], dtype=object) if numbers.dtype.hasobject else numbers
    other = "x" if letter == "y" else "y"
    if "z" in trace:
        count = values_of(trace["z"]).shape[1 if letter == "x" else 0]
    else:
        count = len(values_of(trace[other])) if trace.get(other) is not None else 0
    return trace.get(f"{letter}0", 0) + trace.get(f"d{letter}", 1) * np.arange(float(count))


def _reach(trace: Part, letter: str) -> np.ndarray:
    """The ends of points with their errors, of cells their edges."""
    at = places(trace, letter).astype(float).reshape(-1)
    if trace["type"] == "heatmap" and len(at):
        gaps = np.diff(at)
        first, last = (gaps[0], gaps[-1]) if len(gaps) else (1.0, 1.0)
        return np.array([at[0] - first / 2, at[-1] + last / 2])
    if letter == "y" and trace.get("stackgroup"):
        return np.append(at, 0.0)
    bars = trace.get(f"error_{letter}", {})
    if bars.get("array") is None:
        return at
    above = values_of(bars["array"])[: len(at)]
    below = above if bars.get("arrayminus") is None else values_of(bars["arrayminus"])[: len(at)]
    return np.concatenate([at, at[: len(above)] + above, at[: len(below)] - below])


def _bars(bars: Sequence[Part], letter: str, *, stacked: bool) -> list[np.ndarray]:
    """The ends of bars: along them 0 and their tops, on each other where they are stacked; across them their sides."""
    across, tops = [], [np.zeros(1)]
    for bar in bars:
        if (bar.get("orientation") == "h") == (letter == "x"):
            top = _reach({**bar, "type": "scatter"}, letter)
            tops.append(top[np.isfinite(top)])
            continue
        at = places(bar, letter).astype(float)
        width = values_of(bar["width"]) if bar.get("width") is not None else np.diff(np.unique(at)).min(initial=1.0)
        across += [at - width / 2, at + width / 2]
    if stacked:
        piled = (sum(top.min(initial=0) for top in tops), sum(top.max(initial=0) for top in tops))
        tops.append(np.array(piled))
    return across + (tops if len(tops) > 1 else [])


def _shape(shape: Part, name: str) -> np.ndarray:
    letter = name[0]
    if shape.get(f"{letter}ref", letter) != name:
        return np.empty(0)
    ends = [shape.get(f"{letter}{i}") for i in (0, 1)]
    return np.array([float(end) for end in ends if isinstance(end, int | float | np.number)])
