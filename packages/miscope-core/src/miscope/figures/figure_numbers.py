"""The numbers that a figure draws, as a table: what remains of a picture for a reader with other tools."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["numbers"]

_GRIDS = ("heatmap", "contour")
_COLUMNS = ("panel", "trace", "x", "y", "z", "error", "text")

Row = dict[str, object]


def numbers(figure: Figure) -> str:
    """The figure as CSV: a row for each point or pixel, with the panel and trace it belongs to.

    Columns that no trace fills are left out, and so is the panel where there is but one; then x, y and z are called
    what the axes and the colour bar are. A figure that is a table is
    written as that table.
    """
    traces: list[Any] = list(figure.data)
    if traces and all(trace.type == "table" for trace in traces):
        return _written([list(traces[0].header.values), *zip(*traces[0].cells.values, strict=True)])
    rows = [row for trace in traces if trace.type != "table" for row in _rows(trace)]
    several = len({row["panel"] for row in rows}) > 1
    columns = [name for name in _COLUMNS if any(row.get(name) is not None for row in rows)]
    columns = [name for name in columns if name != "panel" or several]
    titles = {} if several else _titles(figure, rows)
    heads = [titles.get(name, name) for name in columns]
    if len(set(heads)) < len(heads):
        heads = columns
    return _written([heads, *([row.get(name) for name in columns] for row in rows)])


def _titles(figure: Figure, rows: Sequence[Row]) -> dict[str, str]:
    """What the axes of the one panel and the colours of a grid are called, {'x': 'step'}, where they have titles."""
    panel = str(rows[0]["panel"]) if rows else ""
    if not panel.startswith("x"):
        return {}
    axes = {"x": f"xaxis{panel[1:]}", "y": f"yaxis{panel[1:]}"}
    titles = {name: figure.layout[axis].title.text for name, axis in axes.items() if axis in figure.layout}
    traces: list[Any] = list(figure.data)
    bars = [trace.colorbar.title.text for trace in traces if trace.type in _GRIDS]
    titles["z"] = bars[0] if len(bars) == 1 else None
    return {name: " ".join(re.sub(r"<[^>]*>", " ", title).split()) for name, title in titles.items() if title}


def _rows(trace: Any) -> Iterator[Row]:
    known = {"panel": _panel(trace), "trace": trace.name}
    if trace.type in _GRIDS:
        z = np.asarray(_read(trace.z), dtype=object)
        across, down = _along(_read(trace.x), z.shape[1]), _along(_read(trace.y), z.shape[0])
        for (i, j), value in np.ndenumerate(z):
            yield {**known, "x": across[j], "y": down[i], "z": value}
        return
    given = {name: _read(trace[name]) for name in ("x", "y", "z") if name in trace and trace[name] is not None}
    points = max((len(values) for values in given.values()), default=0)
    columns = {name: _along(given.get(name), points) for name in ("x", "y") if points}
    columns |= {"z": given["z"]} if "z" in given else {}
    # One text for the whole trace says nothing of a point.
    columns |= {"text": trace.text} if "text" in trace and isinstance(trace.text, list | tuple | np.ndarray) else {}
    if "error_y" in trace and trace.error_y.array is not None:
        columns["error"] = _read(trace.error_y.array)
    for i in range(points):
        yield {**known, **{name: values[i] for name, values in columns.items() if i < len(values)}}


def _panel(trace: Any) -> str:
    return next((str(getattr(trace, name)) for name in ("xaxis", "scene") if getattr(trace, name, None)), "x")


def _read(values: Any) -> Any:
    """An array as such; one that came as JSON is still in base64."""
    if not isinstance(values, dict) or "bdata" not in values:
        return values
    numbers = np.frombuffer(base64.b64decode(values["bdata"]), dtype=np.dtype(values["dtype"]).newbyteorder("<"))
    return numbers.reshape([int(n) for n in str(values["shape"]).split(",")]) if "shape" in values else numbers


def _along(given: Any, count: int) -> Any:
    """Coordinates along an axis; plotly counts from 0 where none are given."""
    return range(count) if given is None else given


def _written(rows: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
