"""Where the heads look, and how that changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Shown, View
from miscope.figure_style import NULL, OKABE_ITO
from miscope_views.figures import CLOCK, MARKS, clock_axis, event_marks, figure, line, panels, title
from miscope_views.named_arrays import choice_of, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "attention.patterns"
_MOST_ACROSS = 4
"""Heads side by side."""


def patterns(shown: Shown, *, site: str, key: str) -> Figure:
    """Attention of the answer's query to one key for every pair of factor values: one map a head, colours 0 to 1."""
    assert shown.probe is not None
    maps = shown.artifacts[_READS][f"{site}/map"][:, _keys(shown).index(key)]
    row, column = shown.probe.grid
    hover = f"{row} = %{{y}}, {column} = %{{x}}<br>attention %{{z:.3f}}"
    traces, axes, names = [], {}, []
    for head, z in enumerate(maps):
        suffix = "" if head == 0 else str(head + 1)
        place = _cell(head, len(maps))
        traces.append(
            {
                "type": "heatmap",
                "z": z,
                "xaxis": f"x{suffix}",
                "yaxis": f"y{suffix}",
                "coloraxis": "coloraxis",
                "hovertemplate": f"head {head}<br>{hover}<extra></extra>",
            }
        )
        axes |= _map_axes(suffix, place, row if head % _across(len(maps)) == 0 else "", column)
        names.append(_above(f"head {head}", place))
    layout = {
        "title": title(shown, f"Attention of the answer to key {key}", site),
        "coloraxis": {"cmin": 0, "cmax": 1, "colorbar": {"title": {"text": "attention"}}},
        "annotations": names,
        "margin": {"t": 84},
        **axes,
    }
    return figure(traces, layout)


def statistics(shown: Shown, *, site: str, key: str, clock: str, events: bool) -> Figure:
    """How much each head looks at one key, and how spread its attention is, over training."""
    arrays = shown.artifacts[_READS]
    steps, mean, entropy = arrays["step"], arrays[f"{site}/mean"], arrays[f"{site}/entropy"]
    position = _keys(shown).index(key)
    upper, lower = panels((1, 1))
    traces = []
    for head in range(mean.shape[1]):
        colour = OKABE_ITO[head % len(OKABE_ITO)]
        for values, y_axis, what in ((mean[:, head, position], "y", "attention"), (entropy[:, head], "y2", "entropy")):
            hover = f"head {head}: {what} %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
            traces.append(
                line(
                    steps,
                    values,
                    f"head {head}",
                    colour,
                    yaxis=y_axis,
                    legendgroup=str(head),
                    showlegend=y_axis == "y",
                    hovertemplate=hover,
                )
            )
    uniform = float(np.log(mean.shape[2]))
    layout: dict[str, Any] = {
        "title": title(shown, f"Attention of the answer to key {key}, and its entropy", site),
        "xaxis": {**clock_axis(shown, clock), "anchor": "y2"},
        "yaxis": {"title": {"text": f"mean attention to {key}"}, "domain": upper, "range": [-0.02, 1.02]},
        "yaxis2": {"title": {"text": "entropy (nats)"}, "domain": lower, "range": [-0.02 * uniform, 1.08 * uniform]},
        "shapes": [_ceiling(uniform), *event_marks(shown, events)],
        "showlegend": True,
    }
    return figure(traces, layout)


def _keys(shown: Shown) -> Sequence[str]:
    """A name for each key position: '0 (a)' where that position of the input holds a factor, else '2'."""
    arrays = shown.artifacts[_READS]
    count = arrays[f"{holders(arrays, 'entropy')[0]}/mean"].shape[-1]
    probe = shown.probe
    if probe is None or probe.inputs.ndim != 2 or probe.inputs.shape[1] != count:
        return [str(position) for position in range(count)]
    inputs = probe.inputs.numpy()
    held = [[n for n in probe.grid if np.array_equal(inputs[:, i], probe.columns[n])] for i in range(count)]
    return [f"{position} ({names[0]})" if names else str(position) for position, names in enumerate(held)]


def _across(count: int) -> int:
    return min(_MOST_ACROSS, count)


def _cell(head: int, count: int) -> tuple[list[float], list[float]]:
    """Horizontal and vertical domain of a head's map, row by row."""
    across = _across(count)
    rows = -(-count // across)
    row, place = divmod(head, across)
    gap = 0.05
    width = (1 - gap * (across - 1)) / across
    left = place * (width + gap)
    return [left, left + width], panels([1.0] * rows, 0.2)[row]


def _map_axes(suffix: str, place: tuple[list[float], list[float]], row: str, column: str) -> dict[str, Any]:
    common = {"showgrid": False, "constrain": "domain", "constraintoward": "top", "nticks": 4}
    x = {**common, "constraintoward": "center", "domain": place[0], "anchor": f"y{suffix}", "title": {"text": column}}
    y = {**common, "domain": place[1], "anchor": f"x{suffix}", "title": {"text": row}}
    return {f"xaxis{suffix}": x, f"yaxis{suffix}": {**y, "autorange": "reversed", "scaleanchor": f"x{suffix}"}}


def _above(text: str, place: tuple[list[float], list[float]]) -> dict[str, Any]:
    at = {"x": sum(place[0]) / 2, "y": place[1][1], "xref": "paper", "yref": "paper"}
    return {"text": text, **at, "xanchor": "center", "yanchor": "bottom", "showarrow": False}


def _ceiling(height: float) -> dict[str, Any]:
    label = {"text": "all keys alike", "textposition": "start", "yanchor": "bottom"}
    place = {"xref": "paper", "yref": "y2", "x0": 0, "x1": 1, "y0": height, "y1": height}
    return {"type": "line", **place, "line": {"color": NULL, "width": 1, "dash": "dash"}, "label": label}


_KEY = Choice(name="key", options_from=_keys, label="key position")

VIEWS = (
    View(
        name="attention.patterns",
        title="Attention maps",
        grain=Grain.CHECKPOINT,
        draw=patterns,
        reads=(_READS,),
        grid=2,
        controls=(choice_of("site", _READS, "map"), _KEY),
    ),
    View(
        name="attention.statistics",
        title="Attention over training",
        grain=Grain.TRAJECTORY,
        draw=statistics,
        reads=(_READS,),
        controls=(choice_of("site", _READS, "entropy"), _KEY, CLOCK, MARKS),
        time_axis="x",
    ),
)
