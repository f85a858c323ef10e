"""Groups of neurons in weight space: how tight and how far apart they are, where they go, and how they turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, colour_of
from miscope.figures.selecting import selects
from miscope_views.figures import figure, line, panels, title
from miscope_views.named_arrays import choice_of, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "groups.geometry"
_PAIR = {
    "components": "share of variance in two components",
    "captured": "share of variance in the plane of the end",
    "spread": "mean distance from the centre",
}
_MOST = 60
"""Neurons of a group whose paths are drawn: more are a tangle."""


def geometry(shown: ViewData, *, site: str, quantity: str) -> Figure:
    """Spread of each group of neurons, or its share of variance in two components, above how far apart groups are.

    Grey: 95 % of groups as large of neurons drawn at random.
    """
    arrays = shown.artifacts[_READS]
    traces: list[dict[str, Any]] = []
    two = quantity == "components"
    values = arrays[f"{site}/shares"][..., :2].sum(axis=-1) if two else arrays[f"{site}/{quantity}"]
    if two:
        rows, null = arrays[f"{site}/null_rows"], arrays[f"{site}/null"]
        edge = {"type": "scatter", "mode": "lines", "x": shown.steps[rows], "line": {"width": 0, "color": NULL}}
        low, high = null[0].min(axis=1), null[2].max(axis=1)
        traces.append({**edge, "y": low, "showlegend": False, "hoverinfo": "skip"})
        fill = {"fill": "tonexty", "fillcolor": "rgba(154,154,154,0.25)"}
        traces.append({**edge, "y": high, "name": "shuffled groups", "hoverinfo": "skip", **fill})
    for g, name, colour in _groups(shown, site):
        hover = f"{name}: %{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
        traces.append(line(shown.steps, values[:, g], name, colour, hovertemplate=hover))
    upper, lower = panels((2, 1))
    apart = arrays[f"{site}/separation"]
    alone = not np.isfinite(apart).any()
    if not alone:
        hover = f"separation %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
        more = {"yaxis": "y2", "showlegend": False, "hovertemplate": hover}
        traces.append(line(shown.steps, apart, "separation", NULL, **more))
    layout: dict[str, Any] = {
        "title": title(shown, f"Groups of neurons of {site}", "there is one group only" if alone else ""),
        "yaxis": {"title": {"text": _PAIR[quantity]}, "rangemode": "tozero", "domain": [0, 1] if alone else upper},
        "yaxis2": {"title": {"text": "between / within"}, "rangemode": "tozero", "domain": lower},
        "legend": {"title": {"text": _unit(shown)}},
        "showlegend": True,
    }
    if alone:
        del layout["yaxis2"]
    return figure(traces, layout)


def paths(shown: ViewData, *, site: str, group: str) -> Figure:
    """Paths of a group's neurons in the plane the group ends in, from ring to dot; of a large group, every n-th."""
    arrays = shown.artifacts[_READS]
    names = [str(label) for label in arrays[f"{site}/group"]]
    g = names.index(group) if group in names else 0
    mine = np.flatnonzero(arrays[f"{site}/member"] == g)
    chosen = mine[:: -(-len(mine) // _MOST)]
    tracks = np.asarray(arrays[f"{site}/tracks"], dtype=np.float64)[:, chosen]
    colour = colour_of(names[g])
    # One trace for all: the row of NaN between two neurons lifts the pen.
    lifted = np.concatenate([tracks, np.full((1, len(chosen), 2), np.nan)]).swapaxes(0, 1).reshape(-1, 2)
    steps = np.tile([*shown.steps, np.nan], len(chosen))
    thread = {"type": "scatter", "mode": "lines", "x": lifted[:, 0], "y": lifted[:, 1], "hoverinfo": "skip"}
    thread["customdata"] = steps
    ends = [
        (tracks[0], "start", {"size": 6, "color": "rgba(0,0,0,0)", "line": {"color": NULL, "width": 1.5}}),
        (tracks[-1], "end", {"size": 7, "color": colour}),
    ]
    traces: list[dict[str, Any]] = [{**thread, "name": "path", "line": {"color": colour, "width": 1}, "opacity": 0.45}]
    for points, name, marker in ends:
        dots = {"type": "scatter", "mode": "markers", "x": points[:, 0], "y": points[:, 1], "customdata": chosen}
        tip = f"neuron %{{customdata}} at the {name}<extra></extra>"
        dots |= {"meta": selects({"neuron": "customdata"}, site=site)}
        traces.append({**dots, "name": name, "marker": marker, "hovertemplate": tip})
    explained = arrays[f"{site}/explained"][g]
    note = f"{len(chosen)} of {len(mine)} neurons" if len(chosen) < len(mine) else f"{len(mine)} neurons"
    layout = {
        "title": title(shown, f"Paths of the neurons of {_unit(shown)} {names[g]}", f"{site} · {note}"),
        "xaxis": {"title": {"text": f"component 1 ({explained[0]:.1%} at the end)"}},
        "yaxis": {"title": {"text": f"component 2 ({explained[1]:.1%} at the end)"}, "scaleanchor": "x"},
        "showlegend": True,
        "hovermode": "closest",
    }
    return figure(traces, layout, gaps=len(chosen))


def curvature(shown: ViewData, *, site: str) -> Figure:
    """Angle by which each group's centre turns from one move to the next; a right angle is what chance does."""
    arrays = shown.artifacts[_READS]
    values = np.degrees(arrays[f"{site}/turning"])
    traces: list[dict[str, Any]] = []
    for g, name, colour in _groups(shown, site):
        hover = f"{name}: %{{y:.1f}}° at {shown.step_label} %{{x:,}}<extra></extra>"
        moved = np.isfinite(values[:, g])
        if moved.any():
            traces.append(line(shown.steps[1:-1][moved], values[moved, g], name, colour, hovertemplate=hover))
    right = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 90, "y1": 90}
    layout = {
        "title": title(shown, f"Turning of the groups of {site}", "dashed: independent moves in many dimensions"),
        "yaxis": {"title": {"text": "angle between successive moves, degrees"}, "range": [0, 180], "dtick": 30},
        "legend": {"title": {"text": _unit(shown)}},
        "showlegend": True,
        "shapes": [{**right, "line": {"color": NULL, "dash": "dash", "width": 1}}],
    }
    still = {"type": "scatter", "x": shown.steps[:1], "y": [None], "showlegend": False}
    return figure(traces or [still], layout)


def _groups(shown: ViewData, site: str) -> Iterator[tuple[int, str, str]]:
    """(place, label, colour) of each group."""
    for g, label in enumerate(shown.artifacts[_READS][f"{site}/group"]):
        yield g, str(label), colour_of(str(label))


def _unit(shown: ViewData) -> str:
    return next((basis.unit for basis in shown.bases.values()), "component")


def _labels(shown: ViewData) -> tuple[str, ...]:
    """Groups of any site, the largest of the first site first."""
    arrays = shown.artifacts[_READS]
    every = [str(label) for site in holders(arrays, "group") for label in arrays[f"{site}/group"]]
    return tuple(dict.fromkeys(every))


_SITE = choice_of("site", _READS, "group")

VIEWS = (
    View(
        name="groups.geometry",
        title="Groups of neurons",
        grain=Grain.TRAJECTORY,
        draw=geometry,
        needs=Needs(reads=(_READS,), bases=("*",)),
        controls=(_SITE, Choice(name="quantity", options=tuple(_PAIR))),
        time_axis="x",
    ),
    View(
        name="groups.paths",
        title="Paths of the groups of neurons",
        grain=Grain.TRAJECTORY,
        draw=paths,
        needs=Needs(reads=(_READS,), bases=("*",)),
        controls=(_SITE, Choice(name="group", options_from=_labels)),
        selects=("neuron", "site"),
    ),
    View(
        name="groups.curvature",
        title="Turning of the groups of neurons",
        grain=Grain.TRAJECTORY,
        draw=curvature,
        needs=Needs(reads=(_READS,), bases=("*",)),
        controls=(_SITE,),
        time_axis="x",
    ),
)
