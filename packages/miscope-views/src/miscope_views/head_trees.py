"""Heads of a layer as a tree: who is like whom, and how far the groups are apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope_views.figures import figure, title
from miscope_views.head_names import head_name

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["tree_view"]

_READS = "heads.distances"
_BAND = "rgba(154,154,154,0.2)"


def _tree(shown: ViewData, *, layer: str, measure: str, measures: dict[str, str]) -> Figure:
    from scipy.cluster.hierarchy import dendrogram, linkage
    from scipy.spatial.distance import squareform

    name = f"{layer}/{measures[measure]}"
    over = shown.history[_READS]
    matrix, first = (np.asarray(array, dtype=np.float64) for array in (shown.artifacts[_READS][name], over[name][0]))
    if len(matrix) < 2 or not np.isfinite(matrix).all():
        reason = "the layer has one head alone" if len(matrix) < 2 else "a head of the layer writes nothing"
        raise DoesNotApply(reason)
    joined = dendrogram(linkage(squareform(matrix, checks=False), method="average"), no_plot=True)
    x, y = ([np.append(branch, np.nan) for branch in joined[key]] for key in ("icoord", "dcoord"))
    branches = {"type": "scatter", "mode": "lines", "x": np.concatenate(x), "y": np.concatenate(y)}
    branches |= {"line": {"color": OKABE_ITO[0], "width": 2}, "hovertemplate": "apart by %{y:.3f}<extra></extra>"}
    pairs = first[np.triu_indices(len(first), 1)]
    layout: dict[str, Any] = {
        "title": title(shown, f"Tree of heads: {measure}", f"joined by mean distance; grey: pairs at {_start(shown)}"),
        "xaxis": {
            "tickvals": [10 * i + 5 for i in range(len(matrix))],
            "ticktext": [head_name(layer, head) for head in joined["leaves"]],
            "showgrid": False,
            "title": {"text": "head"},
            "range": [0, 10 * len(matrix)],
        },
        "yaxis": {"title": {"text": "distance"}, "range": [0, 1.05 * float(np.nanmax(over[name])) or 1.0]},
        "shapes": _band(pairs) if np.isfinite(pairs).all() else [],
        "showlegend": False,
    }
    return figure([branches], layout, gaps=len(x))


def _start(shown: ViewData) -> str:
    return f"{shown.step_label} {int(shown.history[_READS]['step'][0]):,}"


def _band(pairs: np.ndarray) -> list[dict[str, Any]]:
    """From the nearest to the farthest pair at the first checkpoint."""
    place = {"xref": "paper", "x0": 0, "x1": 1, "y0": float(pairs.min()), "y1": float(pairs.max())}
    return [{"type": "rect", **place, "fillcolor": _BAND, "line": {"width": 1, "color": NULL}, "layer": "below"}]


def tree_view(measures: dict[str, str], layers: Callable[[ViewData], Sequence[str]]) -> View:
    """The view, of those measures of distance and those layers."""

    def tree(shown: ViewData, *, layer: str, measure: str) -> Figure:
        """Heads of a layer joined by how little they differ at this step, beside how far any two were at first."""
        return _tree(shown, layer=layer, measure=measure, measures=measures)

    return View(
        name="heads.tree",
        title="Tree of heads",
        grain=Grain.CHECKPOINT,
        draw=tree,
        needs=Needs(reads=(_READS,), history=(_READS,)),
        controls=(Choice(name="layer", options_from=layers), Choice(name="measure", options=tuple(measures))),
    )
