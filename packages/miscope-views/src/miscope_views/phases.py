"""Whether neurons write to the answers at the phases at which they listen to the factors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of
from miscope.figures.selecting import selects
from miscope_views.figures import figure, line, panels, title
from miscope_views.named_arrays import choice_of, first_row, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "phases.neurons"
_TURNS = {"tickvals": [-180, -90, 0, 90, 180], "range": [-190, 190], "showgrid": True}
_ALL = "all"
_MOST_BLOCKS = 8


def alignment(shown: ViewData, *, site: str, component: str) -> Figure:
    """Each neuron's output phase against the sum of its input phases; how far it is off beside it."""
    arrays = shown.artifacts[_READS]
    labels, block = arrays[f"{site}/label"], arrays[f"{site}/block"].astype(int)
    listens = np.angle(np.exp(1j * (arrays[f"{site}/first"] + arrays[f"{site}/second"]).astype(np.float64)))
    writes, residual = arrays[f"{site}/output"], arrays[f"{site}/residual"]
    counts = np.bincount(block[block >= 0], minlength=len(labels))
    strong = np.argsort(-counts, kind="stable")[:_MOST_BLOCKS]
    shares = [k for k in strong if counts[k]] if component == _ALL else [labels.tolist().index(component)]
    groups = [(str(labels[k]), colour_of(str(labels[k])), block == k) for k in sorted(shares)]
    if component == _ALL and counts.sum() > sum(counts[k] for k in shares):
        groups.insert(0, ("others", NULL, (block >= 0) & ~np.isin(block, shares)))
    meta = selects({"neuron": "customdata"}, site=site)
    dots = [{**_dots(listens, writes, *group), "meta": meta} for group in groups]
    chosen = np.concatenate([residual[members] for _, _, members in groups]) if groups else residual[:0]
    diagonals = [_diagonal(turn) for turn in (-360, 0, 360)]
    unit = next((basis.unit for basis in shown.bases.values()), "component")
    layout: dict[str, Any] = {
        "title": title(shown, "Phase written against phases heard", _note(arrays, site)),
        "xaxis": {"title": {"text": "sum of both input phases (°)"}, **_TURNS, "domain": [0, 0.56]},
        "yaxis": {"title": {"text": "output phase (°)"}, **_TURNS},
        "xaxis2": {"title": {"text": "residual (°)"}, **_TURNS, "domain": [0.73, 1], "anchor": "y2"},
        "yaxis2": {"title": {"text": "neurons"}, "anchor": "x2", "rangemode": "tozero"},
        "legend": {"title": {"text": unit}},
        "showlegend": True,
        "shapes": diagonals,
        "margin": {"t": 84},
    }
    return figure([*dots, _histogram(chosen)], layout)


def coherence(shown: ViewData, *, site: str, below: str) -> Figure:
    """How well output phases agree with the sum of input phases over training, above what uniform phases give."""
    arrays = shown.artifacts[_READS]
    steps, labels = arrays["step"], first_row(arrays[f"{site}/label"])
    upper, lower = panels((1, 1))
    traces = [*_null_band(steps, arrays[f"{site}/null"], "y")]
    for name, colour, label in (
        ("coherence", OKABE_ITO[0], "sum: all live neurons"),
        ("coherence_specialised", OKABE_ITO[1], "sum: specialised"),
        ("coherence_difference", OKABE_ITO[5], "difference: all live neurons"),
    ):
        values = arrays[f"{site}/{name}"]
        hover = f"{label} %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
        traces.append(line(steps, values, label, colour, hovertemplate=hover))
    quantity, p_adjusted = _BELOW[below]
    each, count, p_values = (arrays[f"{site}/{name}"] for name in (quantity, "count", p_adjusted))
    ever = np.flatnonzero(np.isfinite(each).any(axis=0) & (count.max(axis=0) > 0))
    ever = np.sort(ever[np.argsort(-count.max(axis=0)[ever], kind="stable")[:_MOST_BLOCKS]])
    traces += [_block(shown, steps, each[:, k], p_values[:, k], str(labels[k])) for k in ever]
    gaps = sum(int(np.isnan(trace["y"]).sum()) for trace in traces)
    layout: dict[str, Any] = {
        "title": title(shown, "Coherence of output and input phases", _MEANING[below]),
        "yaxis": {"title": {"text": "coherence"}, "domain": upper, "range": [0, 1.03]},
        "yaxis2": {"title": {"text": f"{below}<br>by component"}, "domain": lower, "range": [0, 1.03]},
        "showlegend": True,
    }
    return figure(traces, layout, gaps=gaps)


_BELOW = {"agreement": ("block_coherence", "block_p_adjusted"), "unevenness": ("spread", "spread_p_adjusted")}
_MEANING = {
    "agreement": "1: every neuron writes at the sum it hears",
    "unevenness": "below, 0: a component's neurons write at phases all around",
}


def _block(shown: ViewData, steps: np.ndarray, values: np.ndarray, p_values: np.ndarray, label: str) -> dict[str, Any]:
    hover = f"{label}: %{{y:.3f}} at {shown.step_label} %{{x:,}}, adjusted p %{{customdata:.2g}}<extra></extra>"
    return line(steps, values, label, colour_of(label), yaxis="y2", customdata=p_values, hovertemplate=hover)


def _null_band(steps: np.ndarray, null: np.ndarray, axis: str) -> list[dict[str, Any]]:
    """What 95 % of uniform phases stay below, as a grey band."""
    name = "uniform phases, 95 %"
    band = {"mode": "lines", "line": {"width": 0, "color": NULL}, "hoverinfo": "skip", "yaxis": axis}
    below = {"type": "scatter", "x": steps, "y": np.zeros(len(steps)), "showlegend": False, **band}
    above = {"type": "scatter", "x": steps, "y": null, "name": name, "fill": "tonexty", **band}
    return [below, {**above, "fillcolor": "rgba(154,154,154,0.3)"}]


def _dots(listens: np.ndarray, writes: np.ndarray, name: str, colour: str, members: np.ndarray) -> dict[str, Any]:
    hover = f"neuron %{{customdata}}, {name}<br>hears %{{x:.0f}}°, writes %{{y:.0f}}°<extra></extra>"
    return {
        "type": "scatter",
        "mode": "markers",
        "x": np.degrees(listens[members]),
        "y": np.degrees(writes[members]),
        "customdata": np.flatnonzero(members),
        "name": name,
        "marker": {"color": colour, "size": 5, "opacity": 0.8},
        "hovertemplate": hover,
    }


def _histogram(residual: np.ndarray) -> dict[str, Any]:
    height, edges = np.histogram(np.degrees(residual), bins=36, range=(-180, 180))
    place = {"type": "bar", "x": (edges[1:] + edges[:-1]) / 2, "y": height, "xaxis": "x2", "yaxis": "y2", "width": 10}
    look = {"marker": {"color": OKABE_ITO[0], "line": {"width": 0}}, "showlegend": False}
    return {**place, **look, "hovertemplate": "%{y} neurons within 5° of %{x:.0f}°<extra></extra>"}


def _diagonal(turn: int) -> dict[str, Any]:
    place = {"xref": "x", "yref": "y", "x0": -180, "x1": 180, "y0": -180 + turn, "y1": 180 + turn}
    return {"type": "line", **place, "line": {"color": NULL, "width": 1, "dash": "dot"}, "layer": "below"}


def _note(arrays: Any, site: str) -> str:
    value, null = float(arrays[f"{site}/coherence"]), float(arrays[f"{site}/null"])
    if not np.isfinite([value, null]).all():
        return "no neuron follows a block of two functions, which has a phase"
    return f"coherence {value:.2f}, of uniform phases below {null:.2f}"


def _components(shown: ViewData) -> list[str]:
    """Blocks that at least one neuron follows."""
    arrays = shown.artifacts[_READS]
    names: dict[str, None] = {}
    for site in holders(arrays, "block"):
        label, block = arrays[f"{site}/label"], arrays[f"{site}/block"]
        names |= dict.fromkeys(str(label[k]) for k in np.unique(block[block >= 0]))
    return [_ALL, *names]


VIEWS = (
    View(
        name="phases.alignment",
        title="Phase alignment of neurons",
        grain=Grain.CHECKPOINT,
        draw=alignment,
        needs=Needs(reads=(_READS,), bases=("*",), grid=2),
        controls=(
            choice_of("site", _READS, "block"),
            Choice(name="component", options_from=_components, label="component"),
        ),
        selects=("neuron", "site"),
    ),
    View(
        name="phases.coherence",
        title="Phase coherence over training",
        grain=Grain.TRAJECTORY,
        draw=coherence,
        needs=Needs(reads=(_READS,), bases=("*",), grid=2),
        controls=(
            choice_of("site", _READS, "block"),
            Choice(name="below", options=tuple(_BELOW), label="by component"),
        ),
        time_axis="x",
    ),
)
