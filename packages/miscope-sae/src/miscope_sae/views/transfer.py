"""Autoencoders of the steps of one training at each other's steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, Toggle, View, ViewData
from miscope.figures.frame import figure
from miscope_sae.views.frame import positive, title, warm_note

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "sae.transfer"
_TICKS = (1, 2, 5)
_FEW = 10
"""Steps beyond which the numbers no longer fit into their cells."""


def transfer(shown: ViewData, *, relative: bool) -> Figure:
    """What the autoencoder of each step leaves unexplained at each other step, and as many principal components."""
    arrays = shown.artifacts[_READS]
    fvu = np.vstack([arrays["fvu"], arrays["pca"]])
    own = arrays["diagonal"]
    times = np.divide(fvu, own, out=np.full(fvu.shape, np.nan), where=np.broadcast_to(own > 0, fvu.shape))
    values = times if relative else fvu
    steps = [f"{int(step):,}" for step in arrays["at"]]
    z = np.log10(positive(values))
    heat: dict[str, Any] = {
        "type": "heatmap",
        "x": steps,
        "y": [*steps, "PCA"],
        "z": z,
        "customdata": np.stack([fvu, times], axis=-1),
        "coloraxis": "coloraxis",
        "hovertemplate": "of %{y} at %{x}: FVU %{customdata[0]:.3g}, %{customdata[1]:.3g} times its own<extra></extra>",
    }
    if len(steps) <= _FEW:
        words = [[f"{value:.2g}" if np.isfinite(value) else "" for value in row] for row in values]
        heat |= {"text": words, "texttemplate": "%{text}"}
    side = {"type": "category", "showgrid": False, "constrain": "domain"}
    what = "over that of its own autoencoder" if relative else "FVU"
    note = f"{arrays['site'][0]} of {arrays['source'][0]} · {what}{warm_note(arrays)}"
    layout: dict[str, Any] = {
        "title": title(shown, "Autoencoders of one step at another", note),
        "xaxis": {**side, "constraintoward": "right", "title": {"text": "evaluated at step of the source"}},
        "yaxis": {**side, "title": {"text": "trained at step"}, "autorange": "reversed", "scaleanchor": "x"},
        "coloraxis": _colours(z, "relative FVU" if relative else "FVU"),
    }
    return figure([heat], layout)


def _colours(z: np.ndarray, words: str) -> dict[str, Any]:
    """A scale of logarithms whose ticks are the numbers."""
    known = z[np.isfinite(z)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    ticks = [digit * 10.0**power for power in range(int(np.floor(low)), int(np.ceil(high)) + 1) for digit in _TICKS]
    ticks = [tick for tick in ticks if low - 1e-9 <= np.log10(tick) <= high + 1e-9]
    bar = {"title": {"text": words}, "tickvals": np.log10(ticks), "ticktext": [f"{tick:g}" for tick in ticks]}
    return {"colorscale": "Viridis", "autocolorscale": False, "cmin": low, "cmax": high, "colorbar": bar}


VIEWS = (
    View(
        name="sae.transfer",
        title="Autoencoders of one step at another",
        grain=Grain.COHORT,
        draw=transfer,
        needs=Needs(reads=(_READS,)),
        controls=(Toggle(name="relative", label="relative to its own"),),
        in_reports=({},),
    ),
)
