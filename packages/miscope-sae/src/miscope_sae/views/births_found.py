"""How well a crosscoder finds births that are known, over its training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import OKABE_ITO
from miscope.figures.frame import figure, line
from miscope_sae.views.frame import dashed, title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "sae.births_found"
_SHOWN = (
    ("matched", "features found", OKABE_ITO[0]),
    ("births", "of these, born at the right checkpoint", OKABE_ITO[4]),
    ("deaths", "of these, gone at the right checkpoint", OKABE_ITO[2]),
    ("turning_error", "error of the cosine by which they turn", OKABE_ITO[1]),
)


def births_found(shown: ViewData) -> Figure:
    """Shares of the known features, their births and deaths that are found; births beside those in any order."""
    arrays = shown.artifacts[_READS]
    steps = arrays["step"]
    traces = [
        line(steps, arrays[name], words, colour, hovertemplate=f"{words}: %{{y:.3f}}<extra></extra>")
        for name, words, colour in _SHOWN
    ]
    chance = "births in any order"
    traces.append(
        dashed(steps, arrays["births_in_any_order"], chance, hovertemplate=f"{chance}: %{{y:.3f}}<extra></extra>")
    )
    ended = {name: float(arrays[name][-1]) for name in ("matched", "births", "births_in_any_order")}
    note = f"at the end {ended['births']:.0%} of the {ended['matched']:.0%} found with their birth"
    note += f" (chance {ended['births_in_any_order']:.0%})"
    note = note if ended["matched"] else "at the end none is found"
    layout: dict[str, Any] = {
        "title": title(shown, "Known births that the crosscoder finds", note),
        "yaxis": {"title": {"text": "share, or error of a cosine"}, "range": [-0.03, 1.03]},
        "showlegend": True,
    }
    return figure(traces, layout)


VIEWS = (
    View(
        name="sae.births_found",
        title="Known births that the crosscoder finds",
        grain=Grain.TRAJECTORY,
        draw=births_found,
        needs=Needs(reads=(_READS,)),
        time_axis="x",
        in_reports=({},),
    ),
)
