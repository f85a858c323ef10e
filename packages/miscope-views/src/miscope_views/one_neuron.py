"""Which components of the task basis one neuron follows: at a checkpoint, and over training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, Number, View, ViewData
from miscope.figures.figure_style import NULL, colour_of
from miscope_views.contact_sheets import refuse_beyond
from miscope_views.figures import figure, line, title
from miscope_views.named_arrays import basis_note, choice_of, first_row, holders, ticked, unit_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["ONE_NEURON_VIEWS"]

_SHARES, _CLUSTERS = "neurons.frequencies", "neurons.clusters"
_MOST = 5
"""Components whose course is drawn: more are never strong in one neuron."""


def components(shown: ViewData, *, site: str, neuron: int) -> Figure:
    """How much of one neuron's variance every component explains; its strongest in colour."""
    arrays = shown.artifacts[_SHARES]
    share = _of_one(arrays, site, neuron)
    labels, dead = arrays[f"{site}/label"], bool(arrays[f"{site}/dead"][neuron])
    strong = np.argsort(-share, kind="stable")
    unit = unit_of(shown, arrays, site)
    colours = [NULL] * len(labels) if dead else [colour_of(str(k)) if k == labels[strong[0]] else NULL for k in labels]
    bars = {"type": "bar", "x": labels.tolist(), "y": share, "marker": {"color": colours, "line": {"width": 0}}}
    bars["hovertemplate"] = f"{unit} %{{x}}: %{{y:.1%}} of the variance<extra></extra>"
    note = "dead: the same for every input" if dead else basis_note(arrays, site)
    layout: dict[str, Any] = {
        "title": title(shown, f"Components of neuron {neuron} of {site}", note),
        "xaxis": {"title": {"text": unit}, "type": "category", "tickvals": ticked(labels, strong[:_MOST])},
        "yaxis": {"title": {"text": "share of variance"}, "range": [0, 1]},
        "shapes": _threshold(shown, site),
        "showlegend": False,
    }
    return figure([bars], layout)


def course(shown: ViewData, *, site: str, neuron: int) -> Figure:
    """How much of one neuron's variance its strongest components explain over training."""
    arrays = shown.artifacts[_SHARES]
    share, labels = _of_one(arrays, site, neuron), first_row(arrays[f"{site}/label"])
    strong = np.sort(np.argsort(-share.max(axis=0), kind="stable")[:_MOST])
    traces = []
    for k in strong:
        hover = f"{labels[k]}: %{{y:.1%}} at {shown.step_label} %{{x:,}}<extra></extra>"
        traces.append(line(arrays["step"], share[:, k], str(labels[k]), colour_of(str(labels[k])), hovertemplate=hover))
    layout: dict[str, Any] = {
        "title": title(shown, f"Neuron {neuron} of {site} over training", f"its {len(strong)} strongest components"),
        "yaxis": {"title": {"text": "share of variance"}, "range": [0, 1]},
        "legend": {"title": {"text": unit_of(shown, arrays, site)}},
        "shapes": _threshold(shown, site),
        "showlegend": True,
    }
    return figure(traces, layout)


def _of_one(arrays: Mapping[str, np.ndarray], site: str, neuron: int) -> np.ndarray:
    """(..., K) share of the neuron's variance in each component."""
    share = arrays[f"{site}/fraction"]
    refuse_beyond(site, neuron, share.shape[-1])
    return np.asarray(share[..., neuron], dtype=np.float32)


def _threshold(shown: ViewData, site: str) -> list[dict[str, Any]]:
    """A line at the share from which on a neuron is committed, where clusters were computed."""
    if f"{site}/threshold" not in shown.artifacts.get(_CLUSTERS, {}):
        return []
    height = float(np.ravel(shown.artifacts[_CLUSTERS][f"{site}/threshold"])[0])
    label = {"text": "committed from here on", "textposition": "end", "yanchor": "bottom"}
    place = {"xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": height, "y1": height}
    return [{"type": "line", **place, "line": {"color": NULL, "width": 1, "dash": "dash"}, "label": label}]


def _last(shown: ViewData) -> int:
    arrays = shown.artifacts[_SHARES]
    return max((arrays[f"{site}/fraction"].shape[-1] for site in holders(arrays, "fraction")), default=1) - 1


_CONTROLS = (choice_of("site", _SHARES, "fraction"), Number(name="neuron", default=0, maximum_from=_last))
_NEEDS = Needs(reads=(_SHARES,), optional=(_CLUSTERS,), bases=("*",))

ONE_NEURON_VIEWS = (
    View(
        name="neurons.components",
        title="Components of one neuron",
        synonyms=("spectrum of a neuron",),
        grain=Grain.CHECKPOINT,
        draw=components,
        needs=_NEEDS,
        controls=_CONTROLS,
    ),
    View(
        name="neurons.course",
        title="One neuron over training",
        synonyms=("frequency of a neuron over training",),
        grain=Grain.TRAJECTORY,
        draw=course,
        needs=_NEEDS,
        controls=_CONTROLS,
        time_axis="x",
    ),
)
