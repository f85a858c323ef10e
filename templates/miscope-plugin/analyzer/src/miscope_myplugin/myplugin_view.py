"""Stable rank over training, one line per weight matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope import Choice, Grain, Needs, View, ViewData

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["STABLE_RANK_VIEW"]

_ALL = "all"


def _matrices(shown: ViewData) -> list[str]:
    ranks = shown.artifacts["myplugin.stable_rank"]
    return [_ALL, *sorted(name for name in ranks if name != "step")]


def draw_stable_rank(shown: ViewData, *, matrix: str = _ALL) -> Figure:
    """Stable rank of the weight matrices over training; the mean over heads where there are heads."""
    import plotly.graph_objects as go

    ranks = shown.artifacts["myplugin.stable_rank"]
    names = _matrices(shown)[1:] if matrix == _ALL else [matrix]
    figure = go.Figure()
    for name in names:
        values = ranks[name].reshape(len(ranks["step"]), -1).mean(axis=1)
        figure.add_scatter(x=ranks["step"], y=values, name=name, mode="lines")
    return figure.update_layout(yaxis_title="stable rank", showlegend=True)


STABLE_RANK_VIEW = View(
    name="myplugin.stable_rank",
    title="Stable rank",
    grain=Grain.TRAJECTORY,
    needs=Needs(reads=("myplugin.stable_rank",)),
    draw=draw_stable_rank,
    controls=(Choice(name="matrix", options_from=_matrices, default=_ALL),),
    time_axis="x",
)
