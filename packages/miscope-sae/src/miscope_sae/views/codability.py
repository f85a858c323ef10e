"""Autoencoders of one configuration over the steps of what they are built on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope.figures.frame import figure, line
from miscope_sae.views.frame import decades, positive, title, untrained_line, warm_note

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "sae.codability"
_COUNTED = {
    "alive": ("live latents", OKABE_ITO[1]),
    "dimensions": ("effective dimensions", OKABE_ITO[2]),
    "l0": ("L0", OKABE_ITO[4]),
}
_PANELS = ([0.69, 1], [0.36, 0.64], [0, 0.29])


def codability(shown: ViewData) -> Figure:
    """What is left unexplained, how many latents and dimensions there are, and how far the next step's are the same."""
    arrays = shown.artifacts[_READS]
    at = arrays["at"]
    traces = [
        line(at, positive(arrays["fvu"]), "FVU held out", OKABE_ITO[0], hovertemplate="%{y:.3g}<extra></extra>"),
        line(
            at, positive(arrays["pca"]), "PCA of equal L0", OKABE_ITO[5], hovertemplate="PCA: %{y:.3g}<extra></extra>"
        ),
    ]
    if at[0] == 0:
        first = positive(np.full(len(at), arrays["fvu"][0]))
        traces.append(untrained_line(at, first))
    for name, (words, colour) in _COUNTED.items():
        hover = f"{words}: %{{y:.3g}}<extra></extra>"
        traces.append(
            line(at, positive(arrays[name]), words, colour, yaxis="y2", legend="legend2", hovertemplate=hover)
        )
    traces += _alike(arrays)
    note = f"{arrays['site'][0]} of {arrays['source'][0]}{warm_note(arrays)}"
    axes = {f"yaxis{number or ''}": {"domain": domain} for number, domain in zip(("", 2, 3), _PANELS, strict=True)}
    axes["yaxis"] |= {"title": {"text": "FVU"}, **decades(arrays[name] for name in ("fvu", "pca"))}
    axes["yaxis2"] |= {"title": {"text": "count"}, **decades(arrays[name] for name in _COUNTED)}
    axes["yaxis3"] |= {"title": {"text": "best cosine"}, "range": [-0.02, 1.02]}
    layout: dict[str, Any] = {
        "title": title(shown, "When a representation becomes one that few latents code", note),
        "xaxis": {"title": {"text": "step of the source"}, "anchor": "y3"},
        "showlegend": True,
        # Each beside the panel whose curves it names.
        **{
            f"legend{number or ''}": {"x": 1.02, "y": domain[1], "yanchor": "top"}
            for number, domain in zip(("", 2, 3), _PANELS, strict=True)
        },
    }
    return figure(traces, layout | axes)


def _alike(arrays: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """How alike decoder rows are, of those curves that there are."""
    at, traces = arrays["at"], []
    # Between two steps, so that what becomes of one stands where the other begins.
    middle = (at[:-1] + at[1:]) / 2
    for x, name, words, colour, look in (
        (middle, "drift", "rows with the next step", OKABE_ITO[3], {}),
        (at, "ceiling", "rows with another seed", OKABE_ITO[3], {"dash": "dot", "width": 2}),
        (middle, "drift_chance", "random directions", NULL, {"dash": "dash"}),
    ):
        if np.isfinite(arrays[name]).any():
            hover = f"{words}: %{{y:.3f}}<extra></extra>"
            there = np.isfinite(arrays[name])
            place = {"yaxis": "y3", "legend": "legend3"}
            traces.append(line(x[there], arrays[name][there], words, colour, line=look, hovertemplate=hover, **place))
    return traces


VIEWS = (
    View(
        name="sae.codability",
        title="When a representation becomes one that few latents code",
        grain=Grain.COHORT,
        draw=codability,
        needs=Needs(reads=(_READS,)),
        in_reports=({},),
    ),
)
