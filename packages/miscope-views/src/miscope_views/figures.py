"""The grammar all figures share: one builder, titles, time axes, event marks, stacked panels, thinned curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Toggle, ViewData
from miscope.figures.figure_style import caution, template

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = [
    "CLOCK",
    "MARKS",
    "WIDE",
    "band",
    "clock_axis",
    "event_marks",
    "figure",
    "grid_axes",
    "line",
    "on_clock",
    "panels",
    "said",
    "thin",
    "title",
]

CLOCK = Choice(name="clock", options=("linear", "log"), label="time axis")
"""How steps are laid out; every view over training offers it."""

MARKS = Toggle(name="events", default=True, label="event marks")

Trace = dict[str, Any]

MARKED = ("memorised", "onset", "generalised")
"""Events that every view over training marks; `events.timeline` shows them all."""

_WORDS = {"onset": "onset of generalising"}
"""Events whose name alone does not say of what."""

_EVENT = "event"
"""Name of the shapes that mark events."""

_DENSE = ("heatmap", "contour")
"""Traces that leave no paper free."""

_DARK = "#262626"
_RIM = ", ".join(["0 0 2px #ffffff"] * 6)

WIDE = 1.96
"""Standard errors on either side of a 95 % interval."""

_LOG_TICKS = 5
"""Ticks of a logarithmic axis up the page, about; with more, digits between the powers crowd each other."""

_MOST_BELOW = 100
"""Letters below a title beyond which a card's width cuts them: then the variant goes without its family."""

_MOST_POINTS = 4000
"""Points of a curve beyond which a screen shows no more."""


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
    shapes = layout.get("shapes", ())
    dense = [trace for trace in made if trace.get("type") in _DENSE]
    if dense:
        tops = [_top(trace, layout) for trace in dense]
        scaled["shapes"] = [part for shape in shapes for part in _legible(shape, tops)]
    built = go.Figure(data=made, layout={"template": template(), **layout, **scaled})
    missing = sum(_unfinite(trace) for trace in made) - gaps
    if missing > 0:
        total = sum(np.size(trace.get("z", trace.get("y", ()))) for trace in made) - gaps
        built.add_annotation(caution(f"⚠ {missing:,} of {total:,} values are not finite and not drawn"))
    return built


def _legible(shape: dict[str, Any], tops: Sequence[float]) -> list[dict[str, Any]]:
    """An event's mark as dark dots on a light line, so that it shows on every colour of a heat map; others as is.

    tops: where heat maps end; a label at such an end lies on colours too, and not on paper.
    """
    if shape.get("name") != _EVENT:
        return [shape]
    light = {**shape, "label": {}, "line": {"width": 3, "color": "rgba(255,255,255,0.7)"}}
    above = bool(shape["label"]) and any(abs(shape["y1"] - top) < 1e-6 for top in tops)
    font = {"font": {"color": _DARK, "shadow": _RIM}} if above else {}
    return [light, {**shape, "line": {**shape["line"], "color": _DARK}, "label": {**shape["label"], **font}}]


def _top(trace: Trace, layout: Mapping[str, Any]) -> float:
    axis = layout.get(f"yaxis{trace.get('yaxis', 'y')[1:]}", {})
    return axis.get("domain", (0, 1))[1]


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


def said(value: float, form: str, otherwise: str = "not defined") -> str:
    """A number in a sentence; otherwise: what is said of one that is not finite."""
    return format(value, form) if np.isfinite(value) else otherwise


def clock_axis(shown: ViewData, clock: str) -> dict[str, Any]:
    """The axis that counts steps."""
    if clock == "log":
        return {
            "title": {"text": f"{shown.step_label} (log; 0 is not shown)"},
            "type": "log",
            "dtick": 1,
            "tickformat": ",",
        }
    return {"title": {"text": shown.step_label}, "tickformat": ","}


def on_clock(steps: np.ndarray, values: np.ndarray, clock: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and the values of a heat map over them; a logarithmic clock cannot place step 0."""
    return (steps[steps > 0], values[steps > 0]) if clock == "log" else (steps, values)


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


def event_marks(shown: ViewData, on: bool) -> list[dict[str, Any]]:
    """Labelled vertical lines at the events of training, through all panels."""
    marked = ((name, shown.events[name]) for name in MARKED if name in shown.events)
    ordered = sorted(marked, key=lambda item: item[1]) if on else []
    # Two labels that would lie on each other go to opposite ends of their lines.
    last = _last_step(shown, [step for _, step in ordered])
    marks = []
    for i, (name, step) in enumerate(ordered):
        crowded = i % 2 == 1 and step - ordered[i - 1][1] < 0.03 * last
        label = {"text": f"{_WORDS.get(name, name)} {step:,.0f}", "textposition": "start" if crowded else "end"}
        place = {"xref": "x", "yref": "paper", "x0": step, "x1": step, "y0": 0, "y1": 1}
        # Along the text, then across it: inside the panel, and on the side of the line where there is room.
        anchors = {"xanchor": "left" if crowded else "right", "yanchor": "bottom" if step > 0.1 * last else "top"}
        turned = {"textangle": -90, **anchors, "padding": 3}
        look = {"type": "line", "name": _EVENT, "line": {"width": 1, "dash": "dot"}}
        marks.append({**look, **place, "label": {**label, **turned}})
    return marks


def _last_step(shown: ViewData, marked: Sequence[float]) -> float:
    """Where the axis that counts steps ends: a curve alone has no checkpoints, but records and events."""
    recorded = [series.steps[-1] for series in shown.metrics.values() if len(series.steps)]
    return float(max([*shown.steps[-1:], *recorded, *marked], default=0))


def panels(heights: Sequence[float], gap: float = 0.08) -> list[list[float]]:
    """Vertical domains of panels stacked from the top, in proportion to their heights."""
    free = 1 - gap * (len(heights) - 1)
    sizes = [free * height / sum(heights) for height in heights]
    tops = [1 - sum(sizes[:i]) - gap * i for i in range(len(sizes))]
    return [[max(top - size, 0.0), top] for top, size in zip(tops, sizes, strict=True)]


def line(x: np.ndarray, y: np.ndarray, name: str, colour: str, **more: Any) -> Trace:
    """A curve over training, thinned to what a screen can show; of one checkpoint a dot, for no line has one point."""
    x, y = thin(np.asarray(x), np.asarray(y))
    style = {"color": colour, "width": 1.6} | more.pop("line", {})
    mode = "lines" if len(x) != 1 else "lines+markers"
    return {"type": "scatter", "mode": mode, "x": x, "y": y, "name": name, "line": style, **more}


def band(x: np.ndarray, y: np.ndarray, error: np.ndarray, colour: str, name: str) -> list[Trace]:
    """The ribbon of y plus or minus an error, to stand behind the curve of that legend group."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    edge |= {"legendgroup": name}
    fill = {"fill": "tonexty", "fillcolor": f"rgba({red},{green},{blue},0.15)"}
    return [{**edge, "y": y - error}, {**edge, "y": y + error, **fill}]


def thin(x: np.ndarray, y: np.ndarray, most: int = _MOST_POINTS) -> tuple[np.ndarray, np.ndarray]:
    """The curve with at most about `most` points: of each stretch its first, lowest and highest, so no spike is lost.

    Stretches are equal in rank, save that the first tenth of the points keeps half of them, for a logarithmic axis.
    """
    n = len(x)
    if n <= most:
        return x, y
    blocks = most // 6
    kept = np.unique(np.concatenate([_corners(y, 0, n // 10, blocks), _corners(y, n // 10, n, blocks), [n - 1]]))
    return x[kept], y[kept]


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
