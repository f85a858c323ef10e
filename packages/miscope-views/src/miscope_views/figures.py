"""The grammar all figures share: one builder, titles, stacked panels, thinned curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import ViewData
from miscope.figures.figure_style import bare, caution
from miscope.figures.frame import FEW
from miscope.figures.recorded_points import MOST_POINTS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = [
    "WIDE",
    "band",
    "faint",
    "figure",
    "formatted",
    "grid_axes",
    "line",
    "panels",
    "thin",
    "title",
]

Trace = dict[str, Any]

WIDE = 1.96
"""Standard errors on either side of a 95 % interval."""

_LOG_TICKS = 5
"""Ticks of a logarithmic axis up the page, about; with more, digits between the powers crowd each other."""

_MOST_BELOW = 100
"""Letters below a title beyond which a card's width cuts them: then the variant goes without its family."""


def figure(traces: Iterable[Trace], layout: Mapping[str, Any], *, gaps: int = 0) -> Figure:
    """The figure of traces given as plain dictionaries; arrays go out as float32 and int32.

    What is not finite is counted in a badge, since plotly leaves it out without a word. gaps: how many NaN were put
    there on purpose.
    """
    import plotly.graph_objects as go

    made = [{key: _slim(value) for key, value in trace.items()} for trace in traces]
    # The template chooses a scale by the signs of the values; a scale that is given must say that it is meant.
    scaled: dict[str, Any] = {k: {**v, "autocolorscale": False} for k, v in layout.items() if _gives_scale(k, v)}
    scaled |= {k: {"nticks": _LOG_TICKS, **v} for k, v in layout.items() if _is_logarithmic(k, v)}
    built = go.Figure(data=made, layout={"template": bare(), **layout, **scaled, **_beside_its_bar(layout)})
    missing = sum(_unfinite(trace) for trace in made) - gaps
    if missing > 0:
        total = sum(np.size(trace.get("z", trace.get("y", ()))) for trace in made) - gaps
        built.add_annotation(caution(f"⚠ {missing:,} of {total:,} values are not finite and not drawn"))
    return built


def _beside_its_bar(layout: Mapping[str, Any]) -> Mapping[str, Any]:
    """The axis across of a square map that is alone: amid a wide figure it would be far from its colour bar."""
    alone = {key for key in layout if key.startswith(("xaxis", "yaxis"))} == {"xaxis", "yaxis"}
    across, up = layout.get("xaxis", {}), layout.get("yaxis", {})
    bars = [axis for key, axis in layout.items() if key.startswith("coloraxis") and axis.get("showscale", True)]
    if not (alone and bars and up.get("scaleanchor") == "x" and across.get("constrain") == "domain"):
        return {}
    return {"xaxis": {"constraintoward": "right", **across}}


def _is_logarithmic(key: str, axis: Any) -> bool:
    return key.startswith("yaxis") and axis.get("type") == "log"


def _gives_scale(key: str, value: Any) -> bool:
    return key.startswith("coloraxis") and "colorscale" in value


def title(shown: ViewData, text: str, note: str = "") -> dict[str, Any]:
    """A title, with the variant, the step and a note below it."""
    at = f"{shown.step_label} {shown.step:,}" if shown.step is not None else ""
    name = "" if shown.members else shown.variant.name
    if len(name) + len(at) + len(note) > _MOST_BELOW:
        name = name.rpartition("/")[2]
    return {"text": text, "subtitle": {"text": " · ".join(part for part in (name, at, note) if part)}}


def formatted(value: float, form: str, otherwise: str = "not defined") -> str:
    """A number in a sentence; otherwise: what is said of one that is not finite."""
    return format(value, form) if np.isfinite(value) else otherwise


def grid_axes(shown: ViewData) -> dict[str, Any]:
    """Axes of a factor grid: the first factor down, the second across, the origin at the top left as in a matrix."""
    assert shown.probe is not None
    row, column = shown.probe.grid
    return {
        "xaxis": {"title": {"text": column}, "showgrid": False, "constrain": "domain"},
        "yaxis": {
            "title": {"text": row},
            "showgrid": False,
            "autorange": "reversed",
            "scaleanchor": "x",
            "constrain": "domain",
        },
    }


def panels(heights: Sequence[float], gap: float = 0.08) -> list[list[float]]:
    """Vertical domains of panels stacked from the top, in proportion to their heights."""
    free = 1 - gap * (len(heights) - 1)
    sizes = [free * height / sum(heights) for height in heights]
    tops = [1 - sum(sizes[:i]) - gap * i for i in range(len(sizes))]
    return [[max(top - size, 0.0), top] for top, size in zip(tops, sizes, strict=True)]


def line(x: np.ndarray, y: np.ndarray, name: str, colour: str, **more: Any) -> Trace:
    """A curve over training, thinned to what a screen can show; of few checkpoints with a mark at each.

    One that was thinned says so, `meta` {"thinned": True}: between its points there are others. more: of the trace;
    its `customdata` is of the points, (n,) or (n, ...), and is thinned with them.
    """
    x, y = np.asarray(x), np.asarray(y)
    kept = _kept(y, MOST_POINTS)
    if not isinstance(kept, slice):
        more["meta"] = {**more.get("meta", {}), "thinned": True}
    if "customdata" in more:
        more["customdata"] = np.asarray(more["customdata"])[kept]
    x, y = x[kept], y[kept]
    style = {"color": colour, "width": 1.6} | more.pop("line", {})
    mode = "lines" if len(x) > FEW else "lines+markers"
    return {"type": "scatter", "mode": mode, "x": x, "y": y, "name": name, "line": style, **more}


def faint(colour: str, opacity: float) -> str:
    """A colour written '#RRGGBB', to be seen through: what an area between curves is filled with."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def band(x: np.ndarray, y: np.ndarray, error: np.ndarray, colour: str, name: str) -> list[Trace]:
    """The ribbon of y plus or minus an error, to stand behind the curve of that legend group."""
    edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    edge |= {"legendgroup": name}
    fill = {"fill": "tonexty", "fillcolor": faint(colour, 0.15)}
    return [{**edge, "y": y - error}, {**edge, "y": y + error, **fill}]


def thin(x: np.ndarray, y: np.ndarray, most: int = MOST_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """The curve with at most about `most` points: of each stretch its first, lowest and highest, so no spike is lost.

    Stretches are equal in rank, save that the first tenth of the points keeps half of them, for a logarithmic axis.
    """
    kept = _kept(y, most)
    return x[kept], y[kept]


def _kept(y: np.ndarray, most: int) -> np.ndarray | slice:
    """Indices of the points that `thin` keeps, or all."""
    n = len(y)
    if n <= most:
        return slice(None)
    blocks = most // 6
    return np.unique(np.concatenate([_corners(y, 0, n // 10, blocks), _corners(y, n // 10, n, blocks), [n - 1]]))


def _corners(y: np.ndarray, start: int, stop: int, blocks: int) -> np.ndarray:
    """Indices of the first, lowest and highest value of each of so many blocks of y[start:stop]."""
    width = -(-(stop - start) // blocks)
    index = np.minimum(np.arange(start, start + width * blocks), stop - 1).reshape(blocks, width)
    values = y[index]
    rows = np.arange(blocks)
    lowest = np.where(np.isfinite(values), values, np.inf).argmin(1)
    highest = np.where(np.isfinite(values), values, -np.inf).argmax(1)
    return np.concatenate([index[:, 0], index[rows, lowest], index[rows, highest]])


def _slim(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return {key: _slim(inner) for key, inner in value.items()} if isinstance(value, dict) else value
    if np.issubdtype(value.dtype, np.floating):
        # What is too large for it is counted in the badge.
        with np.errstate(over="ignore"):
            return value.astype(np.float32)
    if np.issubdtype(value.dtype, np.integer) and np.abs(value).max(initial=0) < 1 << 31:
        return value.astype(np.int32)
    return value


def _unfinite(trace: Trace) -> int:
    values = trace.get("z", trace.get("y"))
    if not isinstance(values, np.ndarray) or not np.issubdtype(values.dtype, np.floating):
        return 0
    return int(values.size - np.isfinite(values).sum())
