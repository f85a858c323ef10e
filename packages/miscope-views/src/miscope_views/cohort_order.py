"""In what order several variants reach their milestones and learn their inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import member_colours
from miscope.maths.dated_events import long_name
from miscope_views.cohort_matrices import labels_of, matrix
from miscope_views.definitions import by
from miscope_views.figures import figure, title
from miscope_views.named_arrays import holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["LEARNING_VIEW", "ORDER_VIEW"]

_ORDER, _LEARNING = "cohort.order", "cohort.learning"
_INPUTS = {
    "train": "inputs in both training sets",
    "test": "inputs in neither training set",
    "clean": "inputs of which no image is in either training set",
    "all": "all inputs",
}


def order(shown: ViewData) -> Figure:
    """When each variant reached each milestone, and beside it in what share of them one came before another."""
    arrays = shown.artifacts[_ORDER]
    milestones, before = (
        [long_name(each) for each in arrays["milestone"].tolist()],
        np.asarray(arrays["before"], dtype=np.float64),
    )
    colours = member_colours(shown.members)
    traces: list[dict[str, Any]] = []
    for name, label, at in zip(arrays["variant"].tolist(), labels_of(shown, arrays), arrays["at"], strict=True):
        reached = np.flatnonzero(np.isfinite(at))
        hover = f"{label}: %{{y}} at {shown.step_label} %{{x:,.0f}}<extra></extra>"
        dots = {"type": "scatter", "mode": "lines+markers", "x": at[reached], "y": [milestones[i] for i in reached]}
        look = {"line": {"width": 0.8, "color": colours[name]}, "marker": {"size": 7}, "hovertemplate": hover}
        traces.append({**dots, **look, "name": label})
    z = before + np.where(np.eye(len(milestones), dtype=bool), np.nan, 0.0)
    heat = {"type": "heatmap", "x": milestones, "y": milestones, "z": z, "xaxis": "x2", "coloraxis": "coloraxis"}
    heat |= {"hovertemplate": "%{y} before %{x}: in %{z:.0%} of variants<extra></extra>", "hoverongaps": False}
    bar = {"title": {"text": "share of<br>variants<br>row first"}, "tickformat": ".0%", "len": 0.6, "y": 0.3}
    layout = {
        "title": title(
            shown, "In what order milestones are reached", by(shown, *shown.definitions) + _concordant(arrays)
        ),
        "xaxis": {"domain": [0, 0.58], "rangemode": "tozero"},
        "xaxis2": {"type": "category", "domain": [0.66, 1], "showgrid": False, "tickangle": -40},
        "yaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": milestones,
            "range": [len(milestones) - 0.5, -0.5],
            "dtick": 1,
        },
        "coloraxis": {"cmin": 0, "cmax": 1, "cmid": 0.5, "colorscale": "RdBu", "colorbar": bar},
        "showlegend": True,
    }
    return figure([*traces, heat], layout, gaps=int(np.isnan(z).sum()))


def _concordant(arrays: Any) -> str:
    agreed, (_, low, high) = float(arrays["concordance"]), arrays["concordance_null"]
    note = f"{len(arrays['variant'])} variants · "
    if np.isnan(agreed):
        return f"{note}too few milestones were reached for an order"
    note += f"concordance W = {agreed:.2f}"
    return f"{note}, shuffled {low:.2f} to {high:.2f} · p = {float(arrays['p_value']):.2g}"


def learning(shown: ViewData, *, part: str) -> Figure:
    """How far each two variants learn their inputs in the same order: 1 the same, 0 nothing in common."""
    arrays = shown.artifacts[_LEARNING]
    blank = " · blank where all come at once, or none" if np.isnan(arrays[f"{part}/tau"]).any() else ""
    note = f"{_INPUTS[part]} · Kendall's τ of the steps of learning{blank}"
    heading = title(shown, "Do variants learn their inputs in the same order?", note)
    bar = {"cmin": -1, "cmax": 1, "colorbar": {"title": {"text": "τ"}}}
    return matrix(labels_of(shown, arrays), arrays[f"{part}/tau"], heading, bar, arrays[f"{part}/interval"])


def _parts(shown: ViewData) -> Sequence[str]:
    """What a symmetry gives nothing away of comes first, unless there is nothing to tell of it."""
    arrays = shown.artifacts[_LEARNING]

    def place(part: str) -> tuple[bool, bool, bool]:
        return bool(np.isnan(arrays[f"{part}/mean_tau"])), part != "clean", part != "test"

    return sorted(holders(arrays, "tau"), key=place)


ORDER_VIEW = View(
    name=_ORDER,
    title="Order of milestones",
    grain=Grain.COHORT,
    draw=order,
    needs=Needs(reads=(_ORDER,)),
    time_axis="x",
)
LEARNING_VIEW = View(
    name=_LEARNING,
    title="Orders of learning",
    grain=Grain.COHORT,
    draw=learning,
    needs=Needs(reads=(_LEARNING,)),
    controls=(Choice(name="part", options_from=_parts, label="data"),),
)
