"""Which units answer, to how many inputs, and how often their signs still change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope_views.figures import figure, line, panels, title
from miscope_views.named_arrays import holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS, _FLIPS = "units.statistics", "units.flips"

_SHARES = {"dead": "dead_share", "always on": "always_on_share", "active inputs, mean": "mean_active"}

_QUANTITIES = {
    "share of inputs it is active on": "active",
    "sparsity": "sparsity",
    "mean activation": "mean",
    "standard deviation": "std",
    "excess kurtosis": "kurtosis",
}
_BINS = 60


def dead(shown: ViewData, *, site: str) -> Figure:
    """Share of a site's units that are dead or always on, and how sparsely the units answer, over training."""
    arrays = shown.artifacts[_READS]
    steps = arrays["step"]
    upper, lower = panels((3, 2))
    traces = []
    for i, (name, quantity) in enumerate(_SHARES.items()):
        hover = f"{name}: %{{y:.1%}} at {shown.step_label} %{{x:,}}<extra></extra>"
        traces.append(line(steps, arrays[f"{site}/{quantity}"], name, OKABE_ITO[i], hovertemplate=hover))
    hover = f"mean sparsity %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
    sparse = {"yaxis": "y2", "showlegend": False, "hovertemplate": hover}
    traces.append(line(steps, arrays[f"{site}/mean_sparsity"], "sparsity", OKABE_ITO[3], **sparse))
    count = arrays[f"{site}/active"].shape[-1]
    layout = {
        "title": title(shown, f"Dead and active units of {site}", f"{count:,} units"),
        "yaxis": {"title": {"text": "share of units or inputs"}, "domain": upper, "range": [-0.02, 1.02]},
        "yaxis2": {"title": {"text": "mean sparsity"}, "domain": lower, "range": [-0.02, 1.02]},
        "showlegend": True,
    }
    return figure(traces, layout)


def distribution(shown: ViewData, *, site: str, quantity: str) -> Figure:
    """How a statistic is spread over the units of a site, beside the first checkpoint's spread."""
    now, over = shown.artifacts[_READS], shown.history[_READS]
    name = f"{site}/{_QUANTITIES[quantity]}"
    everything = np.asarray(over[name], dtype=np.float64)
    finite = everything[np.isfinite(everything)]
    # Extreme values of few units would leave one bar of all the others; those beyond go into the last bins.
    low, high = np.quantile(finite, (0.001, 0.999)) if len(finite) else (0.0, 1.0)
    edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
    first = int(over["step"][0])
    traces = [
        _histogram(everything[0], edges, f"at {shown.step_label} {first:,}", NULL),
        _histogram(now[name], edges, f"at {shown.step_label} {shown.step:,}", OKABE_ITO[0]),
    ]
    silent = int((~np.isfinite(now[name])).sum())
    layout = {
        "title": title(shown, f"Units of {site}: {quantity}", f"{silent} without any" if silent else ""),
        "xaxis": {"title": {"text": quantity}, "range": [float(edges[0]), float(edges[-1])]},
        "yaxis": {"title": {"text": "units"}, "rangemode": "tozero"},
        "barmode": "overlay",
        "bargap": 0.0,
        "showlegend": True,
    }
    return figure(traces, layout)


def _histogram(values: np.ndarray, edges: np.ndarray, name: str, colour: str) -> dict[str, Any]:
    finite = np.asarray(values, dtype=np.float64)
    counts = np.histogram(finite[np.isfinite(finite)].clip(edges[0], edges[-1]), edges)[0]
    place = {"type": "bar", "x": (edges[1:] + edges[:-1]) / 2, "y": counts, "width": float(edges[1] - edges[0])}
    hover = f"%{{x:.3g}}: %{{y}} units<br>{name}<extra></extra>"
    return {**place, "name": name, "marker": {"color": colour, "opacity": 0.6}, "hovertemplate": hover}


def flips(shown: ViewData, *, site: str) -> Figure:
    """How many signs of units change from one checkpoint to the next, and how many differ from the first."""
    arrays = shown.artifacts[_FLIPS]
    later = arrays["later"]
    steps = np.concatenate([shown.steps[shown.steps < later[0]][-1:], later])
    low, middle, high = arrays[f"{site}/quantile"]
    edge = {"type": "scatter", "mode": "lines", "x": later, "line": {"width": 0, "color": OKABE_ITO[0]}}
    edge |= {"hoverinfo": "skip"}
    upper, lower = panels((1, 1))
    at = f"at {shown.step_label} %{{x:,}}<extra></extra>"
    traces: list[dict[str, Any]] = [
        {**edge, "y": low, "showlegend": False},
        {**edge, "y": high, "name": "10 to 90 % of units", "fill": "tonexty", "fillcolor": "rgba(0,114,178,0.2)"},
        line(
            later,
            arrays[f"{site}/rate"],
            "mean",
            OKABE_ITO[0],
            customdata=arrays[f"{site}/rate_sem"],
            hovertemplate=f"%{{y:.2%}} ± %{{customdata:.2%}} {at}",
        ),
        line(later, middle, "median unit", OKABE_ITO[1], line={"dash": "dot"}, hovertemplate=f"%{{y:.2%}} {at}"),
    ]
    start = {"yaxis": "y2", "showlegend": False, "hovertemplate": f"%{{y:.1%}} differ from the first {at}"}
    traces.append(line(steps, arrays[f"{site}/from_start"], "from the first", OKABE_ITO[2], **start))
    layout = {
        "title": title(shown, f"Sign changes of units of {site}", "between checkpoints, on the same inputs"),
        "yaxis": {"title": {"text": "changed since the<br>checkpoint before"}, "domain": upper, "tickformat": ".0%"},
        "yaxis2": {"title": {"text": "differ from the<br>first checkpoint"}, "domain": lower, "tickformat": ".0%"},
        "showlegend": True,
    }
    layout["yaxis"]["rangemode"] = layout["yaxis2"]["rangemode"] = "tozero"
    return figure(traces, layout)


def _sites(shown: ViewData, analyzer: str, quantity: str) -> list[str]:
    """Sites, the hidden layers' first: there a unit can be dead."""
    return sorted(holders(shown.artifacts[analyzer], quantity), key=lambda site: not site.endswith("mlp.hook_post"))


VIEWS = (
    View(
        name="units.dead",
        title="Dead and active units",
        synonyms=("dead ReLU", "dead neurons"),
        grain=Grain.TRAJECTORY,
        draw=dead,
        needs=Needs(reads=(_READS,)),
        controls=(Choice(name="site", options_from=lambda shown: _sites(shown, _READS, "dead_share")),),
        time_axis="x",
    ),
    View(
        name="units.distribution",
        title="Statistics of units",
        grain=Grain.CHECKPOINT,
        draw=distribution,
        needs=Needs(reads=(_READS,), history=(_READS,)),
        controls=(
            Choice(name="site", options_from=lambda shown: _sites(shown, _READS, "dead_share")),
            Choice(name="quantity", options=tuple(_QUANTITIES)),
        ),
    ),
    View(
        name="units.flips",
        title="Sign changes of units",
        grain=Grain.TRAJECTORY,
        draw=flips,
        needs=Needs(reads=(_FLIPS,)),
        controls=(Choice(name="site", options_from=lambda shown: _sites(shown, _FLIPS, "rate")),),
        time_axis="x",
    ),
)
