"""Every variant against every other: how far apart their weights are, how far their clusters of neurons agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope_views.figures import figure, title
from miscope_views.named_arrays import choice_of, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["CLUSTERS_VIEW", "WEIGHTS_VIEW", "labels_of", "matrix"]

_WEIGHTS, _CLUSTERS = "cohort.weights", "cohort.clusters"
_AGREEMENT = {"rand": "adjusted Rand index", "profile": "overlap of sizes"}


def labels_of(shown: ViewData, arrays: Mapping[str, np.ndarray]) -> list[str]:
    """What tells each variant of the artifact from the others, in its order."""
    known = {member.shown.variant.name: member.label for member in shown.members}
    return [known.get(str(name), str(name)) for name in arrays["variant"]]


def weights(shown: ViewData, *, role: str) -> Figure:
    """Distance between the weights of each two variants at the end: 0 the same, 1 at right angles."""
    arrays = shown.artifacts[_WEIGHTS]
    note = f"{role} · at the last checkpoint, relative to their lengths · 1: independent"
    heading = title(shown, "How far apart the variants end", note)
    bar = {"cmin": 0, "cmax": float(np.sqrt(2)), "colorbar": {"title": {"text": "distance"}}}
    return matrix(labels_of(shown, arrays), arrays[f"{role}/distance"], heading, bar)


def clusters(shown: ViewData, *, site: str, quantity: str) -> Figure:
    """How far the clusters of neurons agree between each two variants: neuron by neuron, or in their sizes."""
    arrays = shown.artifacts[_CLUSTERS]
    low, high = arrays[f"{site}/rand_null"]
    chance = f" · by chance {low:.3f} to {high:.3f}" if quantity == "rand" and np.isfinite(low) else ""
    heading = title(shown, "Agreement of the neurons' clusters", f"{site} · {_AGREEMENT[quantity]}{chance}")
    bar = {"cmin": -1 if quantity == "rand" else 0, "cmax": 1, "colorbar": {"title": {"text": _AGREEMENT[quantity]}}}
    return matrix(labels_of(shown, arrays), arrays[f"{site}/{quantity}"], heading, bar)


def matrix(
    names: Sequence[str],
    z: np.ndarray,
    heading: dict[str, Any],
    colours: dict[str, Any],
    interval: np.ndarray | None = None,
) -> Figure:
    """Every variant against every other, with the numbers where they can be read; interval (n, n, 2) in the hover."""
    known = np.isfinite(z)
    text = np.where(known, np.vectorize("{:.2f}".format)(z), "") if len(names) <= 12 else None
    heat = {"type": "heatmap", "x": list(names), "y": list(names), "z": z, "coloraxis": "coloraxis"}
    heat["hovertemplate"] = "%{y} and %{x}: %{z:.3f}<extra></extra>"
    if interval is not None:
        heat["customdata"] = interval
        heat["hovertemplate"] = "%{y} and %{x}: %{z:.3f} [%{customdata[0]:.3f}, %{customdata[1]:.3f}]<extra></extra>"
    if text is not None:
        heat |= {"text": text.tolist(), "texttemplate": "%{text}"}
    side = {"type": "category", "showgrid": False, "constrain": "domain"}
    layout = {
        "title": heading,
        "xaxis": side,
        "yaxis": {**side, "autorange": "reversed", "scaleanchor": "x"},
        "coloraxis": colours,
    }
    return figure([heat], layout, gaps=int((~known).sum()))


def _roles(shown: ViewData) -> Sequence[str]:
    groups = holders(shown.artifacts[_WEIGHTS], "distance")
    return sorted(groups, key=lambda role: role != "all")


WEIGHTS_VIEW = View(
    name="cohort.weights",
    title="Weights of variants",
    grain=Grain.COHORT,
    draw=weights,
    needs=Needs(reads=(_WEIGHTS,)),
    controls=(Choice(name="role", options_from=_roles, label="weights"),),
)
CLUSTERS_VIEW = View(
    name="cohort.clusters",
    title="Clusters of variants",
    grain=Grain.COHORT,
    draw=clusters,
    needs=Needs(reads=(_CLUSTERS,)),
    controls=(choice_of("site", _CLUSTERS, "rand"), Choice(name="quantity", options=tuple(_AGREEMENT))),
)
