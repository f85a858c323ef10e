"""An autoencoder at one checkpoint: how often its latents are active, how alike their directions are, how pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope.figures.frame import figure, line
from miscope_sae.views.frame import DEGREE, of_untrained, title
from miscope_sae.views.ranked import RANKED_VIEW

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LATENTS, _PURITY = "sae.latents", "sae.purity"
_DENSE = 0.1
_BIN = 0.25
"""Powers of ten in a bar."""


def density(shown: ViewData) -> Figure:
    """How many latents are active at which share of the inputs; those that never are have a bar of their own."""
    assert shown.probe is not None
    found = shown.artifacts[_LATENTS]["density"]
    powers = np.log10(found[found > 0])
    lowest = np.floor(-np.log10(len(shown.probe.inputs)))
    edges = np.arange(lowest, _BIN / 2, _BIN)
    counts = _counts(found, edges)
    middle, dense = (edges[:-1] + edges[1:]) / 2, edges[:-1] >= np.log10(_DENSE) - _BIN / 10
    many, never = int((found > _DENSE).sum()), int((found == 0).sum())
    traces = [
        _bar([lowest - 2 * _BIN], [never], f"never ({never:,})", NULL, "active at no input"),
        _bar(middle[~dense], counts[~dense], f"up to 10 % ({len(powers) - many:,})", OKABE_ITO[0], "10<sup>%{x}</sup>"),
        _bar(middle[dense], counts[dense], f"dense, above 10 % ({many:,})", OKABE_ITO[1], "10<sup>%{x}</sup>"),
    ]
    traces += of_untrained(
        *(shown, _LATENTS, lambda other: _outline(other["density"], edges)),
        hovertemplate="untrained network: %{y} latents<extra></extra>",
    )
    ticks = np.arange(lowest, 1)
    median = f"median of the others {np.median(10**powers):.2%}" if len(powers) else "none is active"
    layout: dict[str, Any] = {
        "title": title(shown, "How often latents are active", f"{never:,} of {len(found):,} never; {median}"),
        "xaxis": {
            "title": {"text": "share of the inputs"},
            "tickvals": [lowest - 2 * _BIN, *ticks],
            "ticktext": ["never", *(f"{10**tick:.3g}" for tick in ticks)],
        },
        "yaxis": {"title": {"text": "latents"}, "rangemode": "tozero"},
        "bargap": 0.05,
        "showlegend": True,
    }
    return figure(traces, layout)


def _counts(density: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Latents between the edges, powers of ten; one that is active at all inputs is in the last bar."""
    powers = np.log10(density[density > 0])
    return np.histogram(np.minimum(powers, -_BIN / 2), edges)[0]


def _outline(density: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The upper edge of such bars, that of latents that are never active before a gap."""
    never = edges[0] - np.array([2.5, 1.5]) * _BIN
    x = np.concatenate([never, [np.nan], np.repeat(edges, 2)[1:-1]])
    return x, np.concatenate([[(density == 0).sum()] * 2, [np.nan], np.repeat(_counts(density, edges), 2)])


def _bar(x: Any, y: Any, name: str, colour: str, where: str) -> dict[str, Any]:
    hover = f"{where}: %{{y}} latents<extra></extra>"
    bars = {"type": "bar", "x": x, "y": y, "width": 0.92 * _BIN, "name": name, "marker": {"color": colour}}
    return bars | {"hovertemplate": hover}


def decoder(shown: ViewData) -> Figure:
    """The largest cosine of each decoder row with another one, beside that of as many random directions."""
    arrays = shown.artifacts[_LATENTS]
    cosine, chance, fires = arrays["largest_cosine"], arrays["chance_cosine"], arrays["density"] > 0
    there, by_chance = cosine[np.isfinite(cosine)], chance[np.isfinite(chance)]
    lowest = float(min(there.min(initial=1.0), by_chance.min(initial=1.0)))
    edges = np.linspace(lowest, 1 + 1e-6, 41)
    middle, wide = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    traces = []
    for name, which, colour in (
        ("latents that fire", fires, OKABE_ITO[0]),
        ("latents that never fire", ~fires, OKABE_ITO[5]),
    ):
        bars = {"type": "bar", "x": middle, "y": np.histogram(cosine[which], edges)[0], "width": wide, "name": name}
        traces.append(bars | {"marker": {"color": colour}, "hovertemplate": "%{x:.2f}: %{y}<extra></extra>"})
    expected = np.histogram(by_chance, edges)[0]
    step = {"dash": "dash", "shape": "hvh", "width": 1.4}
    traces.append(line(middle, expected, "random directions", NULL, line=step, hoverinfo="skip"))
    note = "one latent alone"
    if len(there) and len(by_chance):
        low, mid, high = np.quantile(by_chance, [0.025, 0.5, 0.975])
        note = f"median {np.median(there):.3g}; by chance {mid:.3g} (95 %: {low:.3g} to {high:.3g})"
    layout: dict[str, Any] = {
        "title": title(shown, "How alike the directions are that latents write", note),
        "xaxis": {"title": {"text": "largest cosine with another decoder row"}},
        "yaxis": {"title": {"text": "latents"}, "rangemode": "tozero"},
        "barmode": "stack",
        "bargap": 0,
        "showlegend": True,
    }
    return figure(traces, layout)


def purity(shown: ViewData, *, degree: str) -> Figure:
    """Latents, and the channels they are made of, by the share of their power in one frequency."""
    arrays, name = shown.artifacts[_PURITY], degree.lower()
    said, traces = [], []
    for group, colour in (("latents", OKABE_ITO[0]), ("channels", OKABE_ITO[4])):
        traces.append(_sorted(arrays[f"{group}/{name}"], group, colour, "solid"))
        mean, null = (float(arrays[f"{group}/{name}{what}"]) for what in ("_mean", "_null_mean"))
        said.append(f"{group} {mean:.3g} (permuted {null:.2g})")
    for group, dash in (("latents", "dash"), ("channels", "dot")):
        traces.append(_sorted(arrays[f"{group}/{name}_null"], f"{group}, inputs permuted", NULL, dash))
    traces += of_untrained(
        *(shown, _PURITY, lambda other: _distribution(other[f"latents/{name}"])),
        line={"shape": "hv"},
        hovertemplate="latents of the untrained network: %{y:.0%} up to %{x:.3f}<extra></extra>",
    )
    layout: dict[str, Any] = {
        "title": title(shown, "Purity of latents and of the channels they are made of", f"means: {', '.join(said)}"),
        "xaxis": {"title": {"text": f"{degree}: share of power in one frequency"}, "range": [0, 1.02]},
        "yaxis": {"title": {"text": "share of them that are no purer"}, "range": [0, 1.02]},
        "showlegend": True,
    }
    return figure(traces, layout)


def _distribution(share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distribution function, beginning at 0."""
    there = np.sort(share[np.isfinite(share)])
    return np.concatenate([[0.0], there]), np.arange(len(there) + 1) / max(len(there), 1)


def _sorted(share: np.ndarray, name: str, colour: str, dash: str) -> dict[str, Any]:
    x, y = _distribution(share)
    hover = f"{name}: %{{y:.0%}} up to %{{x:.3f}}<extra></extra>"
    return line(x, y, name, colour, line={"dash": dash, "shape": "hv"}, hovertemplate=hover)


def _at_a_step(name: str, heading: str, draw: Any, reads: str, **more: Any) -> View:
    needs = Needs(reads=(reads,), untrained=draw is not decoder)
    return View(name=name, title=heading, grain=Grain.CHECKPOINT, draw=draw, needs=needs, **more)


VIEWS = (
    _at_a_step("sae.density", "How often latents are active", density, _LATENTS),
    RANKED_VIEW,
    _at_a_step("sae.decoder", "How alike the directions are that latents write", decoder, _LATENTS),
    _at_a_step("sae.purity", "Purity of latents", purity, _PURITY, controls=(DEGREE,), in_reports=({},)),
)
