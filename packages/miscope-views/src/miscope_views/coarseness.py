"""At which scale neurons and heads vary, now and over training, and what the typical ones look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Number, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope.figures.selecting import selects
from miscope_views.figures import figure, line, panels, title
from miscope_views.head_names import head_name
from miscope_views.named_arrays import first_row, holders
from miscope_views.thumbnails import area_average, sheet

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "coarseness.units"
_SITES = "blocks.*.hook_post|blocks.*.hook_pattern"

_QUANTITIES = {
    "low-frequency share": "low",
    "low-frequency share, unwrapped": "unwrapped",
    "roughness": "roughness",
    "variance kept when shrunk": "preserved",
    "spectral centroid": "centroid",
    "spectral bandwidth": "bandwidth",
}
_SHARES = ("low", "unwrapped", "preserved")
BADGE_COLOURS = {"flat": NULL, **dict(zip(("stripes", "blob", "plaid", "mixed"), OKABE_ITO, strict=False))}
_EACH, _PIXELS, _GUTTER, _BINS = 10, 28, 4, 50


def distribution(shown: ViewData, *, site: str, quantity: str) -> Figure:
    """How a measure of scale is spread over units, by badge, and against roughness below."""
    arrays = shown.artifacts[_READS]
    values, rough, badge = (np.ravel(arrays[f"{site}/{q}"]) for q in (_QUANTITIES[quantity], "roughness", "badge"))
    values = np.asarray(values, dtype=np.float64)
    most = 1.0 if _QUANTITIES[quantity] in _SHARES else float(np.nanmax(values, initial=0.0)) or 1.0
    edges = np.linspace(0, most, _BINS + 1)
    upper, lower = panels((1, 1))
    traces: list[dict[str, Any]] = []
    for number, name in enumerate(arrays["badge_label"].tolist()):
        chosen = np.flatnonzero((badge == number) & np.isfinite(values))
        if not len(chosen):
            continue
        look = {"name": name, "legendgroup": name, "marker": {"color": BADGE_COLOURS[name]}}
        counts = np.histogram(values[chosen].clip(0, most), edges)[0]
        bars = {"type": "bar", "x": (edges[1:] + edges[:-1]) / 2, "y": counts, "yaxis": "y", **look}
        traces.append({**bars, "hovertemplate": f"%{{x:.2f}}: %{{y}} {name}<extra></extra>"})
        dots = {"type": "scatter", "mode": "markers", "x": values[chosen], "y": rough[chosen], "yaxis": "y2", **look}
        hover_lines = [
            f"{_unit_name(arrays, site, int(i))}: {quantity} {values[i]:.3f}, roughness {rough[i]:.3f}" for i in chosen
        ]
        dots |= {"marker": {"color": BADGE_COLOURS[name], "size": 5, "opacity": 0.7}, "showlegend": False}
        dots |= _selecting(arrays, site, chosen)
        traces.append({**dots, "text": hover_lines, "hovertemplate": "%{text}<extra></extra>"})
    layout = {
        "title": title(shown, f"Scale of {site}", _group_note(arrays)),
        "xaxis": {"title": {"text": quantity}, "range": [-0.02 * most, 1.02 * most], "anchor": "y2"},
        "yaxis": {"title": {"text": "units"}, "domain": upper},
        "yaxis2": {"title": {"text": "roughness"}, "domain": lower, "rangemode": "tozero"},
        "barmode": "stack",
        "bargap": 0.0,
        "shapes": [_noise(arrays)] if _QUANTITIES[quantity] == "low" else [],
        "showlegend": True,
    }
    return figure(traces or [{"type": "scatter", "x": [], "y": []}], layout)


def over_training(shown: ViewData, *, site: str, quantity: str) -> Figure:
    """Median of a measure of scale with the middle 80 % of units, and the share of each badge, over training."""
    arrays = shown.artifacts[_READS]
    steps, count = arrays["step"], arrays[f"{site}/badge"][0].size
    low, middle, high = _quantiles(arrays[f"{site}/{_QUANTITIES[quantity]}"].reshape(len(steps), -1))
    edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0, "color": OKABE_ITO[0]}}
    edge |= {"hoverinfo": "skip"}
    hover = f"median %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
    traces: list[dict[str, Any]] = [
        {**edge, "y": low, "showlegend": False},
        {**edge, "y": high, "name": "10 to 90 % of units", "fill": "tonexty", "fillcolor": "rgba(0,114,178,0.2)"},
        line(steps, middle, "median", OKABE_ITO[0], hovertemplate=hover),
    ]
    for number, name in enumerate(first_row(arrays["badge_label"]).tolist()):
        share = arrays[f"{site}/badge_count"][:, number] / count
        hover = f"%{{y:.1%}} {name} at {shown.step_label} %{{x:,}}<extra></extra>"
        area = {"stackgroup": "badges", "yaxis": "y2", "line": {"width": 0.5}, "hovertemplate": hover}
        traces.append(line(steps, share, name, BADGE_COLOURS[name], **area))
    upper, lower = panels((1, 1))
    layout: dict[str, Any] = {
        "title": title(shown, f"Scale of {site} over training", _group_note(arrays)),
        "yaxis": {"title": {"text": quantity}, "domain": upper, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": f"share of {count:,} units"}, "domain": lower, "range": [0, 1]},
        "showlegend": True,
    }
    return figure(traces, layout, gaps=int(sum((~np.isfinite(y)).sum() for y in (low, middle, high))))


def badges(shown: ViewData, *, site: str, page: int) -> Figure:
    """The liveliest units of every badge as small pictures, one row a badge."""
    arrays = shown.artifacts[_READS]
    badge, variance = np.ravel(arrays[f"{site}/badge"]), np.ravel(arrays[f"{site}/variance"])
    names = arrays["badge_label"].tolist()
    rows = [number for number in range(1, len(names)) if (badge == number).any()]
    if not rows:
        raise DoesNotApply(f"no unit of {site} varies over the grid")
    chosen = np.full((len(rows), _EACH), -1)
    for row, number in enumerate(rows):
        members = np.flatnonzero(badge == number)
        best = members[np.argsort(-variance[members], kind="stable")][(page - 1) * _EACH : page * _EACH]
        chosen[row, : len(best)] = best
    image, _ = sheet(_pictures(shown, site, chosen.ravel()), _EACH, gutter=_GUTTER)
    height = image.shape[0] / len(rows)
    middles = [(row + 0.5) * height - _GUTTER / 2 for row in range(len(rows))]
    counts = arrays[f"{site}/badge_count"]
    pixels = {"type": "heatmap", "z": image, "coloraxis": "coloraxis", "hoverinfo": "skip"}
    layout = {
        "title": title(shown, f"Badges of {site}", f"those that vary most, page {page}; each on its own scale"),
        "coloraxis": {"cmin": 0, "cmax": 1, "colorbar": {"title": {"text": "least to greatest"}}},
        "xaxis": {"visible": False, "constrain": "domain"},
        "yaxis": {
            "autorange": "reversed",
            "scaleanchor": "x",
            "constrain": "domain",
            "showgrid": False,
            "showline": False,
            "ticks": "",
            "tickvals": middles,
            "ticktext": [f"{names[n]} ({int(counts[n])})" for n in rows],
        },
        "showlegend": False,
        "hovermode": "closest",
        "hoverdistance": 60,
    }
    return figure([pixels, _labels(arrays, site, chosen, image.shape)], layout, gaps=int(np.isnan(image).sum()))


def _pictures(shown: ViewData, site: str, chosen: np.ndarray) -> np.ndarray:
    """Maps of these units, each from 0 to 1, shrunk; NaN for a place that holds none: (pixels, pixels, units)."""
    assert shown.activations is not None
    assert shown.probe is not None
    units = shown.activations(site, None).flatten(1)[:, chosen.clip(0).tolist()].numpy()
    maps = units.reshape(*shown.probe.shape, -1)
    low, high = maps.min(axis=(0, 1)), maps.max(axis=(0, 1))
    return np.where(chosen < 0, np.nan, area_average((maps - low) / np.where(high > low, high - low, 1), _PIXELS))


def _labels(arrays: Mapping[str, np.ndarray], site: str, chosen: np.ndarray, shape: tuple[int, ...]) -> dict[str, Any]:
    """An unseen point in the middle of each picture that says which unit it is."""
    row, column = np.nonzero(chosen >= 0)
    which = chosen[row, column]
    low, free, rough = (np.ravel(arrays[f"{site}/{name}"]) for name in ("low", "unwrapped", "roughness"))
    hover_lines = [
        f"{_unit_name(arrays, site, i)}<br>low {low[i]:.3f}, unwrapped {free[i]:.3f}, roughness {rough[i]:.2f}"
        for i in which
    ]
    x, y = (column + 0.5) * shape[1] / chosen.shape[1], (row + 0.5) * shape[0] / chosen.shape[0]
    cell = (shape[1] / chosen.shape[1] - _GUTTER + 1, shape[0] / chosen.shape[0] - _GUTTER + 1)
    unseen = {"type": "scatter", "mode": "markers", "marker": {"size": 24}, "opacity": 0}
    unseen |= _selecting(arrays, site, which, cell)
    return {**unseen, "x": x, "y": y, "text": hover_lines, "hovertemplate": "%{text}<extra></extra>"}


def _selecting(
    arrays: Mapping[str, np.ndarray], site: str, units: np.ndarray, cell: tuple[float, float] | None = None
) -> dict[str, Any]:
    """What makes points of neurons select them; attention maps are selected by nothing."""
    neurons = arrays[f"{site}/badge"].ndim == 1
    return {"customdata": units, "meta": selects({"neuron": "customdata"}, cell=cell, site=site)} if neurons else {}


def _unit_name(arrays: Mapping[str, np.ndarray], site: str, unit: int) -> str:
    """'neuron 7', or 'L0H1 to key 0' where units are attention maps."""
    shape = arrays[f"{site}/badge"].shape
    return f"{head_name(site, unit // shape[1])} to key {unit % shape[1]}" if len(shape) == 2 else f"neuron {unit}"


def _group_note(arrays: Mapping[str, np.ndarray]) -> str:
    if int(np.ravel(arrays["automorphisms"])[0]):
        return ""
    return "not unwrapped: no Fourier basis counts both factors"


def _noise(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    height = float(arrays["null_low"])
    label = {"text": "white noise", "textposition": "end", "textangle": -90, "xanchor": "right", "yanchor": "top"}
    place = {"xref": "x", "yref": "paper", "x0": height, "x1": height, "y0": 0, "y1": 1}
    return {"type": "line", **place, "line": {"color": NULL, "width": 1, "dash": "dash"}, "label": label}


def _quantiles(values: np.ndarray) -> np.ndarray:
    """(3, T) 10, 50 and 90 % of the finite values at each step; NaN where there are none."""
    quantiles = np.full((3, len(values)), np.nan)
    for at, row in enumerate(np.asarray(values, dtype=np.float64)):
        finite = row[np.isfinite(row)]
        if len(finite):
            quantiles[:, at] = np.quantile(finite, (0.1, 0.5, 0.9))
    return quantiles


def _quantities(shown: ViewData) -> list[str]:
    unwrapped = int(np.ravel(shown.artifacts[_READS]["automorphisms"])[0]) > 0
    return [text for text, name in _QUANTITIES.items() if unwrapped or name != "unwrapped"]


def _offered(shown: ViewData) -> list[str]:
    """Sites, the hidden layers' first."""
    return sorted(holders(shown.artifacts[_READS], "badge"), key=lambda site: not site.endswith("mlp.hook_post"))


_SITE = Choice(name="site", options_from=_offered)
_QUANTITY = Choice(name="quantity", options_from=_quantities)

VIEWS = (
    View(
        name="coarseness.distribution",
        title="Scale of units",
        grain=Grain.CHECKPOINT,
        draw=distribution,
        needs=Needs(reads=(_READS,)),
        controls=(_SITE, _QUANTITY),
        selects=("neuron", "site"),
    ),
    View(
        name="coarseness.over_training",
        title="Scale of units over training",
        grain=Grain.TRAJECTORY,
        draw=over_training,
        needs=Needs(reads=(_READS,)),
        controls=(_SITE, _QUANTITY),
        time_axis="x",
    ),
    View(
        name="coarseness.badges",
        title="Badges of units",
        grain=Grain.CHECKPOINT,
        draw=badges,
        needs=Needs(reads=(_READS,), sites=(_SITES,), grid=2),
        controls=(_SITE, Number(name="page", default=1, minimum=1)),
        selects=("neuron", "site"),
    ),
)
