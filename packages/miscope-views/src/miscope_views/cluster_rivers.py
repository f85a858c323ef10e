"""How neurons pass between clusters over training, and how far the clusters stay the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, Number, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of
from miscope.maths.evenly_spaced import evenly_placed
from miscope.view import STEP_SCALE
from miscope_views.figures import figure, line, panels, title
from miscope_views.named_arrays import choice_of, first_row, unit_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["RIVER_VIEWS"]

_SHARES, _CLUSTERS = "neurons.frequencies", "neurons.clusters"
_MOST = 8
_NONE, _OTHER = "none", "other"
_CURVE = np.linspace(0, 1, 12)


def river(shown: ViewData, *, site: str, columns: int, clock: str) -> Figure:
    """How many neurons each cluster holds at some checkpoints, and from which to which the neurons passed between."""
    steps, banks = _columns(shown, columns, clock), _banks(shown, site)
    number = _membership(shown, site, banks)[np.searchsorted(_steps(shown), steps)]
    sizes = np.stack([np.bincount(row, minlength=len(banks)) for row in number])
    floor = np.cumsum(sizes, axis=1) - sizes
    traces: list[dict[str, Any]] = []
    for i, name in enumerate(banks):
        colour = _colour(name)
        hover = f"{name}: %{{customdata}} neurons at {shown.step_label} %{{x:,}}<extra></extra>"
        middle = {"type": "scatter", "mode": "markers", "x": steps, "y": floor[:, i] + sizes[:, i] / 2}
        dots = {"customdata": sizes[:, i], "marker": {"size": np.where(sizes[:, i] > 0, 7, 0), "color": colour}}
        x, y = _ribbons(steps, number, floor, i, clock)
        stream = {"type": "scatter", "mode": "lines", "x": x, "y": y, "fill": "toself", "name": name}
        stream |= {"line": {"width": 0.3, "color": colour}, "opacity": 0.55, "hoverinfo": "skip", "legendgroup": name}
        traces += [{**stream, "fillcolor": colour}]
        traces.append({**middle, **dots, "showlegend": False, "legendgroup": name, "hovertemplate": hover})
    layout: dict[str, Any] = {
        "title": title(shown, f"Neurons between clusters of {site}", "a stream has the colour of where it comes from"),
        "yaxis": {"title": {"text": "neurons"}, "range": [0, number.shape[1]], "showgrid": False},
        "legend": {"title": {"text": unit_of(shown, _first(shown), site)}, "traceorder": "reversed"},
        "showlegend": True,
    }
    gaps = sum(int(np.isnan(trace["y"]).sum()) for trace in traces)
    return figure(traces, layout, gaps=gaps)


def _columns(shown: ViewData, count: int, clock: str) -> np.ndarray:
    """Steps of so many checkpoints, evenly spread over the axis as far as checkpoints allow."""
    steps = _steps(shown)
    steps = steps[steps > 0] if clock == "log" else steps
    place = np.log(steps) if clock == "log" else steps.astype(np.float64)
    return steps[evenly_placed(place, count)]


def _banks(shown: ViewData, site: str) -> list[str]:
    """The largest clusters by number, then all others, then the neurons of none."""
    arrays = shown.artifacts[_CLUSTERS]
    labels, most = arrays[f"{site}/label"], arrays[f"{site}/size"].max(axis=0)
    large = np.sort(np.argsort(-most, kind="stable")[:_MOST])
    return [*(str(labels[k]) for k in large if most[k] > 0), _OTHER, _NONE]


def _membership(shown: ViewData, site: str, banks: list[str]) -> np.ndarray:
    """(T, M) the bank in which each neuron is: its component's if it is committed to it."""
    shares = shown.artifacts[_SHARES]
    committed = shares[f"{site}/max_fraction"] >= float(shown.artifacts[_CLUSTERS][f"{site}/threshold"])
    names, place = np.unique(shares[f"{site}/dominant"], return_inverse=True)
    known = {name: number for number, name in enumerate(banks[:-2])} | {"": len(banks) - 1}
    number = np.array([known.get(str(name), len(banks) - 2) for name in names])[place].reshape(committed.shape)
    return np.where(committed, number, len(banks) - 1)


def _ribbons(
    steps: np.ndarray, number: np.ndarray, floor: np.ndarray, source: int, clock: str
) -> tuple[np.ndarray, np.ndarray]:
    """Outlines of the streams out of one bank, each closed and followed by NaN."""
    x: list[np.ndarray] = [np.array([np.nan])]
    y: list[np.ndarray] = [np.array([np.nan])]
    for t in range(len(steps) - 1):
        pairs = np.zeros((floor.shape[1],) * 2, dtype=int)
        np.add.at(pairs, (number[t], number[t + 1]), 1)
        start = floor[t, source] + np.cumsum(pairs[source]) - pairs[source]
        end = floor[t + 1] + pairs[:source].sum(axis=0)
        ends = np.log(steps[t : t + 2]) if clock == "log" else steps[t : t + 2]
        across = ends[0] + (ends[1] - ends[0]) * _CURVE
        across = np.exp(across) if clock == "log" else across
        smooth = _CURVE**2 * (3 - 2 * _CURVE)
        for target in np.flatnonzero(pairs[source]):
            low = start[target] + (end[target] - start[target]) * smooth
            high = low + pairs[source, target]
            x += [across, across[::-1], across[:1], np.array([np.nan])]
            y += [low, high[::-1], low[:1], np.array([np.nan])]
    return np.concatenate(x), np.concatenate(y)


def _colour(name: str) -> str:
    return {_NONE: "rgba(154,154,154,0.25)", _OTHER: NULL}.get(name) or colour_of(name)


def stability(shown: ViewData, *, site: str) -> Figure:
    """How far clusters are those of the checkpoint before, and those of the end; below, how many neurons stand out."""
    arrays, steps = shown.artifacts[_CLUSTERS], _steps(shown)
    upper, lower = panels((3, 2))
    at = f"at {shown.step_label} %{{x:,}}<extra></extra>"
    before, end, distinct, committed = (
        np.asarray(arrays[f"{site}/{name}"], dtype=np.float64)
        for name in ("stability", "likeness_to_end", "significant_share", "committed_share")
    )
    traces = [
        line(steps[1:], before, "with the checkpoint before", OKABE_ITO[0], hovertemplate=f"%{{y:.3f}} {at}"),
        line(steps, end, "with the last checkpoint", OKABE_ITO[1], hovertemplate=f"%{{y:.3f}} {at}"),
        line(steps, committed, "committed", OKABE_ITO[2], yaxis="y2", hovertemplate=f"%{{y:.1%}} committed {at}"),
        line(steps, distinct, "stand out from the start", OKABE_ITO[3], yaxis="y2", hovertemplate=f"%{{y:.1%}} {at}"),
    ]
    chance = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    layout: dict[str, Any] = {
        "title": title(shown, f"Stability of the clusters of {site}", "of neurons committed at both; 0: by chance"),
        "yaxis": {"title": {"text": "adjusted Rand index"}, "domain": upper, "range": [-0.1, 1.03]},
        "yaxis2": {"title": {"text": "share of neurons"}, "domain": lower, "range": [-0.02, 1.03]},
        "shapes": [{**chance, "line": {"color": NULL, "dash": "dash", "width": 1}}],
        "showlegend": True,
    }
    return figure(traces, layout, gaps=int(np.isnan(before).sum() + np.isnan(end).sum()))


def _steps(shown: ViewData) -> np.ndarray:
    return shown.artifacts[_SHARES]["step"]


def _first(shown: ViewData) -> dict[str, np.ndarray]:
    arrays = shown.artifacts[_SHARES]
    return {name: first_row(arrays[name]) for name in arrays if name.endswith("/basis")}


RIVER_VIEWS = (
    View(
        name="neurons.river",
        title="Neurons between clusters",
        grain=Grain.TRAJECTORY,
        draw=river,
        needs=Needs(reads=(_CLUSTERS, _SHARES), bases=("*",)),
        controls=(
            choice_of("site", _CLUSTERS, "size"),
            Number(name="columns", default=12, minimum=2, maximum=40, label="checkpoints"),
            STEP_SCALE,
        ),
        time_axis="x",
    ),
    View(
        name="neurons.stability",
        title="Stability of clusters",
        grain=Grain.TRAJECTORY,
        draw=stability,
        needs=Needs(reads=(_CLUSTERS, _SHARES), bases=("*",)),
        controls=(choice_of("site", _CLUSTERS, "stability"),),
        time_axis="x",
    ),
)
