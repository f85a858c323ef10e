"""One trace of a figure as columns: its places, what it has of each, and what these are called."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from miscope.errors import BadValue
from miscope.figures.figure_names import axis_name, colour_name, counts_names, plain, scene_name, unlike
from miscope.figures.hover_names import hover_names

__all__ = ["PANEL", "TRACE", "trace_columns", "values_of"]

PANEL, TRACE = "panel", "trace"
"""Columns of a long table that say which trace a row is of, so no other is called that."""

_GRIDS = ("heatmap", "contour", "surface")
_IN_SPACE = ("surface", "scatter3d")
_POINTS = ("scatter", "scattergl", "bar", "scatter3d")
_AXES = {"x": "horizontal", "y": "vertical", "z": "depth"}

Part = Mapping[str, Any]
Columns = dict[str, np.ndarray]


def trace_columns(trace: Part, layout: Part) -> tuple[Columns, tuple[str, str] | None]:
    """The columns of a trace by name, and the names of the axes, down and across, where it is a grid.

    Numbers, NaN where there is none; or objects: texts, and None. Raises BadValue for a trace without places.
    """
    if trace["type"] == "table":
        heads = [plain(head) for head in trace["header"]["values"]]
        return _named(zip(heads, map(values_of, trace["cells"]["values"]), strict=True)), None
    given = {letter: values_of(trace[letter]) for letter in _AXES if trace.get(letter) is not None}
    grid = trace["type"] in _GRIDS and "z" in given and all(given[a].ndim == 1 for a in "xy" if a in given)
    if (not given and trace["type"] not in _POINTS) or (grid and given["z"].ndim != 2):
        raise BadValue(
            f"The numbers of a figure with a trace of type {trace['type']!r} cannot be written.",
            "What is written is where points are and what the cells of a grid hold, and it has neither.",
            "Write it as .html, which holds all that it draws.",
        )
    return _grid(trace, given, layout) if grid else (_points(trace, given, layout), None)


def _grid(trace: Part, given: Columns, layout: Part) -> tuple[Columns, tuple[str, str]]:
    height, width = given["z"].shape
    across = _along(given.get("x"), width, trace.get("x0", 0), trace.get("dx", 1))
    down = _along(given.get("y"), height, trace.get("y0", 0), trace.get("dy", 1))
    x, y = _axis_names(trace, {"x": across, "y": down}, layout, {"x": "column", "y": "row"}).values()
    value = colour_name(layout, trace) or scene_name(layout, trace.get("scene", "scene"), "z") or "value"
    cells = [(value, given["z"]), *_further(trace, given["z"].shape)]
    named = _named([(x, across), (y, down), *cells])
    return named, (y, x)


def _points(trace: Part, given: Columns, layout: Part) -> Columns:
    places = {letter: column.reshape(-1) for letter, column in given.items()}
    count = min((column.size for column in places.values()), default=0)
    if trace["type"] != "histogram":
        for letter in "xy":
            places.setdefault(letter, _along(None, count, trace.get(f"{letter}0", 0), trace.get(f"d{letter}", 1)))
    places = {letter: places[letter][:count] for letter in _AXES if letter in places}
    names = _axis_names(trace, places, layout, _AXES)
    columns = [(names[letter], column) for letter, column in places.items()]
    for letter in "xy":
        columns += _errors(trace.get(f"error_{letter}", {}), names.get(letter, ""))
    marker = trace.get("marker", {})
    if (scale := colour_name(layout, marker)) and _is_array(marker.get("color")):
        columns.append((scale, values_of(marker["color"])))
    columns += [(name, values_of(trace[name])) for name in ("width", "base") if _is_array(trace.get(name))]
    columns += _further(trace, (count,))
    return _named((name, _of_size(column, count)) for name, column in columns)


def _axis_names(trace: Part, places: Columns, layout: Part, otherwise: Mapping[str, str]) -> dict[str, str]:
    """What each of its axes is called, and the letter beside it where two are called the same."""
    names = {}
    for letter, column in places.items():
        axis = trace.get(f"{letter}axis", letter)
        in_space = trace["type"] in _IN_SPACE
        title = scene_name(layout, trace.get("scene", "scene"), letter) if in_space else axis_name(layout, axis)
        texts = column.dtype.hasobject or counts_names(layout, axis)
        names[letter] = title or ("name" if texts and otherwise is _AXES else otherwise[letter])
    titles = list(names.values())
    return {letter: f"{name} ({letter})" if titles.count(name) > 1 else name for letter, name in names.items()}


def _errors(bars: Part, name: str) -> list[tuple[str, np.ndarray]]:
    """The lengths of error bars, on each side where they differ."""
    above, below = bars.get("array"), bars.get("arrayminus")
    if above is None or bars.get("visible") is False:
        return []
    if below is None or bars.get("symmetric"):
        return [(f"error of {name}", values_of(above))]
    return [(f"error of {name}, above", values_of(above)), (f"error of {name}, below", values_of(below))]


def _further(trace: Part, shape: tuple[int, ...]) -> list[tuple[str, np.ndarray]]:
    """The text of each place, and the custom numbers that hovering shows; not one text for all."""
    further = [("label", values_of(trace["text"]))] if _is_array(trace.get("text")) else []
    if _is_array(trace.get("customdata")):
        custom = _array(trace["customdata"])
        custom = custom if custom.ndim > len(shape) else custom[..., None]
        names = hover_names(trace.get("hovertemplate") or "")
        further += [(name, values_of(custom[..., i])) for i, name in names.items() if i < custom.shape[-1]]
    fitting = ((name, column) for name, column in further if column.ndim == len(shape))
    return [(name, column) for name, column in fitting if len(shape) == 1 or column.shape == shape]


def _named(columns: Iterable[tuple[str, np.ndarray]]) -> Columns:
    """The columns by names of their own; one that says again what another of its name says is left out."""
    named: Columns = {}
    for name, column in columns:
        if name in named and named[name].shape == column.shape and (named[name] == column).all():
            continue
        named[unlike(name or "column", {PANEL, TRACE, *named})] = column
    return named


def _along(given: np.ndarray | None, count: int, start: Any, gap: Any) -> np.ndarray:
    """Coordinates along an axis; the middles of cells given by their edges. plotly counts from 0 where none are."""
    if given is None:
        return start + gap * np.arange(count)
    if len(given) == count + 1 and not given.dtype.hasobject:
        return (given[:-1] + given[1:]) / 2
    return _of_size(given, count)


def _of_size(column: np.ndarray, count: int) -> np.ndarray:
    """As many values as there are places: no more are drawn, and of the others there is none."""
    if len(column) >= count:
        return column[:count]
    lacking = np.full(count - len(column), None if column.dtype.hasobject else np.nan)
    return np.concatenate([column, lacking])


def _is_array(given: Any) -> bool:
    return isinstance(given, list | tuple | np.ndarray) or (isinstance(given, dict) and "bdata" in given)


def values_of(given: Any) -> np.ndarray:
    """Numbers with NaN where there is none; texts, and None, as objects."""
    array = _array(given)
    if array.dtype.kind in "iufb":
        return array
    plain_values = [None if value is None or value != value else value for value in array.reshape(-1).tolist()]
    if all(value is None or isinstance(value, int | float) for value in plain_values):
        return np.array([np.nan if value is None else value for value in plain_values], float).reshape(array.shape)
    texts = np.empty(len(plain_values), dtype=object)
    texts[:] = [None if value is None else plain(value) for value in plain_values]
    return texts.reshape(array.shape)


def _array(given: Any) -> np.ndarray:
    """An array as such; one that came as JSON is still in base64."""
    if isinstance(given, dict):
        numbers = np.frombuffer(base64.b64decode(given["bdata"]), dtype=np.dtype(given["dtype"]).newbyteorder("<"))
        return numbers.reshape([int(n) for n in str(given["shape"]).split(",")]) if "shape" in given else numbers
    try:
        return np.asarray(given)
    except ValueError:  # lists of unequal length
        return np.asarray(given, dtype=object)
