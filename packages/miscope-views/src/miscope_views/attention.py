"""Where the heads look, and how that changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Shown, View
from miscope.figure_style import NULL, OKABE_ITO
from miscope_views.figures import CLOCK, MARKS, clock_axis, event_marks, figure, line, on_clock, panels, title
from miscope_views.head_names import head_name
from miscope_views.named_arrays import choice_of, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS, _SEQUENCE = "attention.patterns", "attention.sequence"
_DASHES = ("solid", "dash", "dot", "dashdot")
_MOST_KEYS = 4
"""Keys drawn of each head, from the first."""
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


def symmetry(shown: Shown, *, site: str, symmetry: str, clock: str, events: bool) -> Figure:
    """Whether each head treats an input and its image alike: correlation of its attention to each key with that to the
    key's counterpart, over training."""
    arrays = shown.artifacts[_READS]
    matrix = np.asarray(arrays[f"{site}/symmetry/{symmetry}"], dtype=np.float64)
    names, steps = _keys(shown), arrays["step"]
    traces = []
    # Each key's counterpart is the one its attention agrees with most at the end.
    counterpart = matrix[-1].argmax(axis=2)
    for head in range(matrix.shape[1]):
        for key in range(min(matrix.shape[2], _MOST_KEYS)):
            other = int(counterpart[head, key])
            name = f"head {head}: {names[key]} with {names[other]}"
            look = {"line": {"dash": _DASHES[key % len(_DASHES)]}, "legendgroup": str(head)}
            hover = f"{name}<br>correlation %{{y:.4f}} at {shown.step_label} %{{x:,}}<extra></extra>"
            colour = OKABE_ITO[head % len(OKABE_ITO)]
            traces.append(line(steps, matrix[:, head, key, other], name, colour, **look, hovertemplate=hover))
    layout = {
        "title": title(shown, f"Symmetry of attention under {symmetry}", site),
        "xaxis": clock_axis(shown, clock),
        "yaxis": {"title": {"text": "correlation on the image input"}, "range": [-1.03, 1.03]},
        "shapes": event_marks(shown, events),
        "showlegend": True,
    }
    return figure(traces, layout)


def entropy(shown: Shown, *, clock: str, events: bool) -> Figure:
    """How spread each head's attention is over training, all layers and heads at once, in shares of the greatest."""
    arrays = shown.artifacts[_READS]
    rows, names = [], []
    for site in holders(arrays, "entropy"):
        values = np.asarray(arrays[f"{site}/entropy"], dtype=np.float64)
        rows.append(values.T / max(np.log(arrays[f"{site}/mean"].shape[-1]), 1e-12))
        names += [head_name(site, head) for head in range(values.shape[1])]
    steps, share = on_clock(arrays["step"], np.concatenate(rows).T, clock)
    heat = {"type": "heatmap", "x": steps, "y": names, "z": share.T, "coloraxis": "coloraxis"}
    hover = f"%{{y}}: %{{z:.3f}} of the greatest entropy at {shown.step_label} %{{x:,}}<extra></extra>"
    layout = {
        "title": title(shown, "Entropy of attention", "of the answer's query; 1 where all keys are alike"),
        "xaxis": {**clock_axis(shown, clock), "showgrid": False},
        "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False, "title": {"text": "head"}},
        "coloraxis": {"cmin": 0, "cmax": 1, "colorbar": {"title": {"text": "share of the greatest entropy"}}},
        "shapes": event_marks(shown, events),
    }
    return figure([heat | {"hovertemplate": hover}], layout)


def sequence(shown: Shown, *, site: str) -> Figure:
    """Mean attention of every position to every position before it, one map a head."""
    maps = shown.artifacts[_SEQUENCE][f"{site}/mean"]
    traces, axes, names = [], {}, []
    for head, z in enumerate(np.asarray(maps, dtype=np.float32)):
        suffix = "" if head == 0 else str(head + 1)
        place = _cell(head, len(maps))
        hover = f"{head_name(site, head)}<br>query %{{y}}, key %{{x}}: %{{z:.3f}}<extra></extra>"
        heat = {"type": "heatmap", "z": z, "xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "coloraxis": "coloraxis"}
        traces.append(heat | {"hovertemplate": hover})
        axes |= _map_axes(suffix, place, "query" if head % _across(len(maps)) == 0 else "", "key")
        names.append(_above(head_name(site, head), place))
    layout = {
        "title": title(shown, "Mean attention along the sequence", site),
        "coloraxis": {"cmin": 0, "cmax": 1, "colorbar": {"title": {"text": "attention"}}},
        "annotations": names,
        "margin": {"t": 84},
        **axes,
    }
    return figure(traces, layout)


def profile(shown: Shown, *, site: str) -> Figure:
    """How much each head looks at the key so many positions back, beside the first checkpoint."""
    now, over = shown.artifacts[_SEQUENCE][f"{site}/profile"], shown.history[_SEQUENCE]
    first = over[f"{site}/profile"][0].mean(axis=0)
    distance = np.arange(now.shape[1])
    start = f"at {shown.step_label} {int(over['step'][0]):,}, mean of heads"
    traces = [line(distance, first, start, NULL, line={"dash": "dash"})]
    for head, values in enumerate(now):
        name = head_name(site, head)
        hover = f"{name}: %{{y:.3f}} of attention %{{x}} back<extra></extra>"
        traces.append(line(distance, values, name, OKABE_ITO[head % len(OKABE_ITO)], hovertemplate=hover))
    most = 1.05 * float(np.max(over[f"{site}/profile"]))
    layout = {
        "title": title(shown, "Attention by distance", site),
        "xaxis": {"title": {"text": "positions back"}},
        "yaxis": {"title": {"text": "mean attention"}, "range": [0, most]},
        "showlegend": True,
    }
    return figure(traces, layout)


def _symmetries(shown: Shown) -> list[str]:
    found = (name.partition("/symmetry/")[2] for name in shown.artifacts[_READS])
    return sorted({name for name in found if name})


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
    View(
        name="attention.symmetry",
        title="Symmetry of attention",
        grain=Grain.TRAJECTORY,
        draw=symmetry,
        reads=(_READS,),
        controls=(
            choice_of("site", _READS, "entropy"),
            Choice(name="symmetry", options_from=_symmetries),
            CLOCK,
            MARKS,
        ),
        time_axis="x",
    ),
    View(
        name="attention.entropy",
        title="Entropy of attention",
        grain=Grain.TRAJECTORY,
        draw=entropy,
        reads=(_READS,),
        controls=(CLOCK, MARKS),
        time_axis="x",
    ),
    View(
        name="attention.sequence",
        title="Attention along the sequence",
        grain=Grain.CHECKPOINT,
        draw=sequence,
        reads=(_SEQUENCE,),
        controls=(choice_of("site", _SEQUENCE, "mean"),),
    ),
    View(
        name="attention.profile",
        title="Attention by distance",
        grain=Grain.CHECKPOINT,
        draw=profile,
        reads=(_SEQUENCE,),
        history=(_SEQUENCE,),
        controls=(choice_of("site", _SEQUENCE, "profile"),),
    ),
)
