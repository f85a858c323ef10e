"""Which traces of several figures of one view show the same thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from miscope.figures.extents import places
from miscope.figures.figure_style import NULL

__all__ = ["Kind", "is_null", "kinds", "named_in", "on_common_places", "panel_of"]

Kind = tuple[str, str, tuple[str, str], int]
"""Type, name, panel, and the how-manieth of these a trace is: what stays the same from variant to variant."""

_SAME = {"scattergl": "scatter"}


def kinds(traces: Sequence[Mapping[str, Any]]) -> list[Kind]:
    """The kind of each trace; no two are alike."""
    seen: Counter[tuple[str, str, tuple[str, str]]] = Counter()
    found: list[Kind] = []
    for trace in traces:
        drawn_as = str(trace["type"])
        what = (_SAME.get(drawn_as, drawn_as), str(trace.get("name") or ""), panel_of(trace))
        found.append((*what, seen[what]))
        seen[what] += 1
    return found


def is_null(trace: Mapping[str, Any]) -> bool:
    """Whether it is what a model that learned nothing would show, which is grey everywhere."""
    colours = (trace.get(part, {}).get("color") for part in ("line", "marker"))
    return any(isinstance(colour, str) and colour == NULL for colour in colours)


def panel_of(trace: Mapping[str, Any]) -> tuple[str, str]:
    """The axes a trace is drawn on; its scene, of one in space."""
    return (trace["scene"], "") if "scene" in trace else (trace.get("xaxis", "x"), trace.get("yaxis", "y"))


def named_in(traces: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[str]]:
    """By panel, the names that its legend tells apart, in order; without what is grey, which a style does not tell."""
    names: dict[tuple[str, str], dict[str, None]] = {}
    for trace in traces:
        here = names.setdefault(panel_of(trace), {})
        name = trace.get("name") or trace.get("legendgroup")
        if is_null(trace):
            continue
        if name and (trace.get("showlegend") is not False or trace.get("legendgroup")):
            here.setdefault(str(trace.get("legendgroup") or name))
    return {panel: list(those) for panel, those in names.items()}


def on_common_places(
    traces: Sequence[Mapping[str, Any]], *, between: bool
) -> tuple[np.ndarray, np.ndarray, str] | None:
    """(T,) places along x that curves share, (n, T) their values there, and a word on how; None where they share none.

    between: whether values may be read between the points of a curve, on a straight line, where fewer than half of the
    places of the shortest are shared; then they are those of the first within the reach of all. Places are the same
    that differ by less than a billionth of the farthest. The word is "" where all have the same places, 'common' where
    some were left out, 'between' where values were read so.
    """
    at = _alike([places(trace, "x").reshape(-1) for trace in traces])
    values = [places(trace, "y").reshape(-1) for trace in traces]
    if any(one.dtype.hasobject for one in values):
        return None
    if all(len(one) == len(at[0]) and bool(np.all(one == at[0])) for one in at):
        return at[0], np.array([value.astype(float) for value in values]), ""
    if any(one.dtype.hasobject or len(np.unique(one)) != len(one) for one in at):
        return None
    shared = sorted(set.intersection(*(set(one.tolist()) for one in at)))
    few = len(shared) < max(2, min(len(one) for one in at) / 2)
    if between and few and (read := _read_between(at, values)) is not None:
        return *read, "between"
    if not shared or (between and len(shared) < 2):
        return None
    rows = [dict(zip(one.tolist(), value.tolist(), strict=True)) for one, value in zip(at, values, strict=True)]
    return np.array(shared), np.array([[row[place] for place in shared] for row in rows], float), "common"


def _alike(at: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The same with numbers that are equal but for how they were computed made equal; names as they are."""
    if not all(np.issubdtype(one.dtype, np.floating) or np.issubdtype(one.dtype, np.integer) for one in at):
        return [*at]
    if all(np.issubdtype(one.dtype, np.integer) for one in at):
        return [*at]
    far = max((float(np.abs(one[np.isfinite(one)]).max(initial=0.0)) for one in at), default=0.0)
    # A power of two: dividing by it changes no digit, so that equal numbers stay equal and whole ones whole.
    grain = 2.0 ** np.floor(np.log2(far * 1e-9)) if far else 1.0
    return [np.round(one / grain) * grain for one in at]


def _read_between(at: Sequence[np.ndarray], values: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray] | None:
    """At the places of the first within the reach of all; None where there are fewer than two, or they go back."""
    numbers = [one.astype(float) for one in at]
    if not all(len(one) and np.all(np.diff(one) > 0) for one in numbers):
        return None
    low, high = max(one[0] for one in numbers), min(one[-1] for one in numbers)
    grid = numbers[0][(numbers[0] >= low) & (numbers[0] <= high)]
    if len(grid) < 2:
        return None
    read = [np.interp(grid, one, value.astype(float)) for one, value in zip(numbers, values, strict=True)]
    return grid, np.array(read)
