"""Where heads look along the sequence, from every position."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope_views.figures import figure, line, title
from miscope_views.head_maps import above, across, cell, map_axes
from miscope_views.head_names import head_name
from miscope_views.named_arrays import choice_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["PROFILE_VIEW", "SEQUENCE_VIEW", "profile", "sequence"]

_SEQUENCE = "attention.sequence"


def sequence(shown: ViewData, *, site: str) -> Figure:
    """Mean attention of every position to every position before it, one map a head."""
    maps = shown.artifacts[_SEQUENCE][f"{site}/mean"]
    traces, axes, names = [], {}, []
    for head, z in enumerate(np.asarray(maps, dtype=np.float32)):
        suffix = "" if head == 0 else str(head + 1)
        place = cell(head, len(maps))
        hover = f"{head_name(site, head)}<br>query %{{y}}, key %{{x}}: %{{z:.3f}}<extra></extra>"
        heat = {"type": "heatmap", "z": z, "xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "coloraxis": "coloraxis"}
        traces.append(heat | {"hovertemplate": hover})
        row, column = "query" if head % across(len(maps)) == 0 else "", "key" if place[1][0] < 1e-6 else ""
        axes |= map_axes(suffix, place, row, column)
        names.append(above(head_name(site, head), place))
    layout = {
        "title": title(shown, "Mean attention along the sequence", site),
        "coloraxis": {"cmin": 0, "cmax": 1, "colorbar": {"title": {"text": "attention"}}},
        "annotations": names,
        "margin": {"t": 84},
        **axes,
    }
    return figure(traces, layout)


def profile(shown: ViewData, *, site: str) -> Figure:
    """How much each head looks at the key so many positions back, beside the first checkpoint."""
    now, over = shown.artifacts[_SEQUENCE][f"{site}/profile"], shown.history[_SEQUENCE]
    first = over[f"{site}/profile"][0].mean(axis=0)
    distance = np.arange(now.shape[1])
    start = f"at {shown.step_label} {int(over['step'][0]):,}, mean of heads"
    traces = [line(distance, first, start, NULL, line={"dash": "dash"})]
    for head, values in enumerate(now):
        name = head_name(site, head)
        hover = f"{name}: %{{y:.3f}} of attention %{{x}} back<extra></extra>"
        traces.append(line(distance, values, name, OKABE_ITO[head % len(OKABE_ITO)], hovertemplate=hover))
    most = 1.05 * float(np.max(over[f"{site}/profile"]))
    layout = {
        "title": title(shown, "Attention by distance", site),
        "xaxis": {"title": {"text": "positions back"}},
        "yaxis": {"title": {"text": "mean attention"}, "range": [0, most]},
        "showlegend": True,
    }
    return figure(traces, layout)


SEQUENCE_VIEW = View(
    name="attention.sequence",
    title="Attention along the sequence",
    synonyms=("attention pattern", "induction"),
    grain=Grain.CHECKPOINT,
    draw=sequence,
    needs=Needs(reads=(_SEQUENCE,)),
    controls=(choice_of("site", _SEQUENCE, "mean"),),
)

PROFILE_VIEW = View(
    name="attention.profile",
    title="Attention by distance",
    grain=Grain.CHECKPOINT,
    draw=profile,
    needs=Needs(reads=(_SEQUENCE,), history=(_SEQUENCE,)),
    controls=(choice_of("site", _SEQUENCE, "profile"),),
)
