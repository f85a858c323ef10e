"""What the network loses without single latents: on inputs it was trained on and not, and in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Number, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import NULL, OKABE_ITO, TEST, TRAIN
from miscope.figures.frame import figure, line
from miscope_sae.rows.probe_parts import ALL, SOURCE_TEST, SOURCE_TRAIN
from miscope_sae.views.frame import dashed, positive, title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "sae.effects"
_PARTS = {"source held out": SOURCE_TEST, "source trained on": SOURCE_TRAIN, "all": ALL}
_COLOURS = {SOURCE_TEST: TEST, SOURCE_TRAIN: TRAIN, ALL: OKABE_ITO[0]}
_SPLIT = {"train": SOURCE_TRAIN, "test": SOURCE_TEST}
_HOVER = "train %{{customdata[{}]:.3g}}, test %{{customdata[{}]:.3g}} nats"
_SMALLEST, _LARGER = 5, 12
"""Size of a marker, and by how much that of a latent is larger that is active at every input."""
_BETWEEN = 0.95
"""Share of the random directions whose effects lie where the axes are linear."""
_TICKS, _NEAR = 5, 0.05
"""On each side of 0, and the share of an axis up to which a side has none."""


def effects(shown: ViewData) -> Figure:
    """Each latent: what its ablation costs on inputs not trained on, over what on those trained on, beside chance."""
    arrays = _ablated(shown)
    if any(f"{part}/loss" not in arrays for part in _SPLIT.values()):
        raise DoesNotApply("nobody knows which inputs its source was trained on")
    change, null = (np.stack([arrays[f"{part}/{what}"] for part in _SPLIT.values()]) for what in ("loss", "null"))
    linear, density = _linear(null), arrays["density"]
    x, y = _squeezed(np.concatenate([null, change], axis=1), linear)
    ends = np.array([_least(x, y), -_least(-x, -y)])
    traces = [
        line(ends, ends, "the same on both", NULL, line={"width": 1}, hoverinfo="skip"),
        {
            **_markers(_squeezed(null, linear), "random directions"),
            "customdata": null.T,
            "marker": {"color": NULL, "size": 4, "symbol": "x-thin", "line": {"width": 1, "color": NULL}},
            "hovertemplate": f"random direction<br>{_HOVER.format(0, 1)}<extra></extra>",
        },
        {
            **_markers(_squeezed(change, linear), "latents"),
            "customdata": np.stack([*change, arrays["latent"], density], axis=1),
            "marker": {"color": _power(density), "coloraxis": "coloraxis", "size": _SMALLEST + _LARGER * density**0.5},
            "hovertemplate": f"latent %{{customdata[2]}}<br>{_HOVER.format(0, 1)}<br>active at %{{customdata[3]:.2%}}"
            "<extra></extra>",
        },
    ]
    clean = ", ".join(f"{name} loss {float(arrays[f'{part}/clean']):.2g}" for name, part in _SPLIT.items())
    note = f"{_which(arrays)}, {int((change[1] > change[0]).sum()):,} cost more on test; {clean}"
    layout: dict[str, Any] = {
        "title": title(shown, "What the network loses without a latent", note),
        "xaxis": {"title": {"text": "train loss, change in nats"}, **_ticks(x, linear)},
        "yaxis": {"title": {"text": "test loss, change in nats"}, **_ticks(y, linear)},
        "coloraxis": _of_density(density),
        "legend": {"x": 0.99, "xanchor": "right", "y": 0.01, "yanchor": "bottom"},
        "showlegend": True,
        "hovermode": "closest",
    }
    return figure(traces, layout)


def _ablated(shown: ViewData) -> dict[str, np.ndarray]:
    """Of the latents that were, (L,) and their numbers under 'latent'; the rest as it is."""
    arrays = shown.artifacts[_READS]
    latent = np.flatnonzero((arrays["density"] > 0) & np.isfinite(arrays[f"{ALL}/loss"]))
    return {"latent": latent} | {name: each[latent] if each.ndim else each for name, each in arrays.items()}


def _which(arrays: Any) -> str:
    """'the 512 most used of 700 latents that fire': not all of them were ablated."""
    count, alive = len(arrays["latent"]), int(arrays["alive"])
    return f"{count:,} latents" if count == alive else f"the {count:,} most used of {alive:,} latents"


def _markers(points: np.ndarray, name: str) -> dict[str, Any]:
    """points: (2, n)."""
    return {"type": "scatter", "mode": "markers", "x": points[0], "y": points[1], "name": name}


def _linear(null: np.ndarray) -> float:
    """Up to which change the axes are linear: what random directions hardly exceed."""
    known = np.abs(null[np.isfinite(null)])
    found = float(np.quantile(known, _BETWEEN)) if known.size else 0.0
    return found if found > 0 else 1e-12


def _squeezed(change: np.ndarray, linear: float) -> np.ndarray:
    """Linear about 0, logarithmic far from it, on both sides; a factor of ten is 1."""
    return np.arcsinh(change / linear) / np.log(10)


def _least(x: np.ndarray, y: np.ndarray) -> float:
    """Where both axes have begun; 0 where there is nothing."""
    return float(max(np.nanmin(x), np.nanmin(y))) if np.isfinite(x).any() and np.isfinite(y).any() else 0.0


def _ticks(squeezed: np.ndarray, linear: float) -> dict[str, Any]:
    """At 0, and at powers of ten far from it, on each side not more than five."""
    known = np.append(squeezed[np.isfinite(squeezed)], 0)
    first = int(np.ceil(np.log10(linear))) + 1
    ticks = {0.0: "0"}
    for sign, reach in ((1, known.max(initial=0)), (-1, -known.min(initial=0))):
        if reach <= _NEAR * np.ptp(known):
            continue
        last = int(np.floor(np.log10(linear * np.sinh(reach * np.log(10)))))
        for power in range(last, min(first, last) - 1, -max(1, -(-(last - first + 1) // _TICKS))):
            ticks[float(_squeezed(np.array(sign * 10.0**power), linear))] = (
                f"{'-' if sign < 0 else ''}{_written(power)}"
            )
    return {"tickvals": list(ticks), "ticktext": list(ticks.values()), "zeroline": True}


def _written(power: int) -> str:
    return f"{10.0**power:g}" if abs(power) < 3 else f"10<sup>{power}</sup>"


def _power(density: np.ndarray) -> np.ndarray:
    return np.log10(np.where(density > 0, density, np.nan))


def _of_density(density: np.ndarray) -> dict[str, Any]:
    known = density[density > 0]
    low = float(np.floor(np.log10(known.min()))) if known.size else -1.0
    ticks = np.arange(low, 1)
    bar = {"title": {"text": "density"}, "tickvals": ticks, "ticktext": [f"{10**tick:.3g}" for tick in ticks]}
    return {"colorscale": "Viridis", "reversescale": True, "cmin": low, "cmax": 0, "colorbar": bar}


def ranked(shown: ViewData, *, inputs: str, count: int) -> Figure:
    """Latents by what their ablation costs, the largest first, beside random directions in the same order."""
    arrays, part = _ablated(shown), _PARTS[inputs]
    change, null = np.nan_to_num(arrays[f"{part}/loss"]), np.nan_to_num(arrays[f"{part}/null"])
    order = np.argsort(-change, kind="stable")[: int(count)]
    place = np.arange(1, len(order) + 1)
    bars = {
        "type": "bar",
        "x": place,
        "y": positive(change[order]),
        "name": inputs,
        "marker": {"color": _COLOURS[part]},
    }
    known = np.stack([arrays["latent"][order], arrays["density"][order]], axis=1)
    hover = "latent %{customdata[0]}: %{y:.3g} nats<br>active at %{customdata[1]:.2%}<extra></extra>"
    traces = [bars | {"customdata": known, "hovertemplate": hover}]
    for name, other in _PARTS.items():
        if {part, other} == set(_SPLIT.values()) and f"{other}/loss" in arrays:
            dots = _markers(np.stack([place, positive(arrays[f"{other}/loss"][order])]), name)
            look = {
                "color": _COLOURS[other],
                "size": 7,
                "symbol": "line-ew",
                "line": {"width": 2.5, "color": OKABE_ITO[0]},
            }
            traces.append(dots | {"marker": look, "hovertemplate": f"{name}: %{{y:.3g}} nats<extra></extra>"})
    by_chance = positive(np.sort(null)[::-1][: len(order)])
    hover = "random direction: %{y:.3g} nats<extra></extra>"
    traces.append(dashed(place, by_chance, "random directions, by size", hovertemplate=hover))
    more, clean = int((change > null.max(initial=0)).sum()), float(arrays[f"{part}/clean"])
    note = f"{_which(arrays)}, {more:,} cost more than any random direction; loss {clean:.2g} with all"
    layout: dict[str, Any] = {
        "title": title(shown, "Latents by what the network loses without them", note),
        "xaxis": {"title": {"text": "latents, the one that costs most first"}},
        "yaxis": {"title": {"text": "loss, change in nats"}, "type": "log", "nticks": 6, "exponentformat": "power"},
        "bargap": 0.15,
        "showlegend": True,
    }
    return figure(traces, layout)


def _inputs(shown: ViewData) -> Sequence[str]:
    arrays = shown.artifacts.get(_READS, {})
    return [name for name, part in _PARTS.items() if f"{part}/loss" in arrays]


VIEWS = (
    View(
        name="sae.effects",
        title="What the network loses without a latent",
        grain=Grain.CHECKPOINT,
        draw=effects,
        needs=Needs(reads=(_READS,)),
        in_reports=({},),
    ),
    View(
        name="sae.effects_ranked",
        title="Latents by what the network loses without them",
        grain=Grain.CHECKPOINT,
        draw=ranked,
        needs=Needs(reads=(_READS,)),
        controls=(
            Choice(name="inputs", options_from=_inputs),
            Number(name="count", default=40, minimum=1, label="latents"),
        ),
    ),
)
