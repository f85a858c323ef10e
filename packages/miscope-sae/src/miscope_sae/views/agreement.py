"""What autoencoders of the same activations have in common, pair by pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import OKABE_ITO
from miscope.figures.frame import figure
from miscope_sae.views.frame import title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "sae.agreement"
_HALF = 0.4
"""Of the width of a pair that its chance level is drawn over."""
_SHOWN = (
    ("matched90", "matched, cosine > 0.9", OKABE_ITO[0], "circle"),
    ("matched70", "matched, cosine > 0.7", OKABE_ITO[5], "circle-open"),
    ("mmcs", "mean largest cosine", OKABE_ITO[1], "diamond"),
)


def agreement(shown: ViewData) -> Figure:
    """Share of latents that another autoencoder of the same activations has too, beside that of random directions."""
    arrays = shown.artifacts[_READS]
    names = _pairs(shown)
    place = np.arange(len(names))
    traces: list[dict[str, Any]] = []
    for name, words, colour, symbol in _SHOWN:
        traces.append(_chance(place, _of(arrays, f"chance/{name}"), words, colour))
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": place,
                "y": _of(arrays, name),
                "name": words,
                "customdata": names,
                "marker": {"color": colour, "size": 10, "symbol": symbol, "line": {"width": 2, "color": colour}},
                "hovertemplate": f"%{{customdata}}<br>{words}: %{{y:.3f}}<extra></extra>",
            }
        )
    site = sorted(set(arrays["site"].tolist()))
    known = arrays["matched90"][np.isfinite(arrays["matched90"])]
    found = f"median {np.median(known):.1%} matched · " if known.size else ""
    note = f"{', '.join(site)} · {found}dashed: random directions"
    layout: dict[str, Any] = {
        "title": title(shown, "Latents that another seed finds again", note),
        "xaxis": {"tickvals": place, "ticktext": names, "automargin": True, "range": [-0.6, len(names) - 0.4]},
        "yaxis": {"title": {"text": "share, or cosine"}, "range": [-0.03, 1.03], "zeroline": False},
        "showlegend": True,
    }
    return figure(traces, layout)


def _of(arrays: Any, name: str) -> np.ndarray:
    """(P,) of what is drawn; the mean of both ways where it has two."""
    if not name.endswith("mmcs"):
        return arrays[name]
    return (arrays[f"{name}_there"] + arrays[f"{name}_back"]) / 2


def _chance(place: np.ndarray, level: np.ndarray, words: str, colour: str) -> dict[str, Any]:
    """A dashed line over the width of each pair."""
    gap = np.full(len(place), np.nan)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.stack([place - _HALF, place + _HALF, gap], axis=1).ravel(),
        "y": np.stack([level, level, gap], axis=1).ravel(),
        "name": f"by chance: {words}",
        "line": {"color": colour, "dash": "dash", "width": 1.4},
        "showlegend": False,
        "hovertemplate": f"random directions, {words}: %{{y:.3f}}<extra></extra>",
    }


def _pairs(shown: ViewData) -> list[str]:
    """What tells the two of each pair apart."""
    arrays = shown.artifacts[_READS]
    known = {member.shown.variant.name: member.label for member in shown.members}
    return [
        f"{known.get(one, one)} and {known.get(two, two)}"
        for one, two in zip(arrays["first"].tolist(), arrays["second"].tolist(), strict=True)
    ]


VIEWS = (
    View(
        name="sae.agreement",
        title="Latents that another seed finds again",
        grain=Grain.COHORT,
        draw=agreement,
        needs=Needs(reads=(_READS,)),
        in_reports=({},),
    ),
)
