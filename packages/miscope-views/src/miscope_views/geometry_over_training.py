"""How the classes come apart, collapse and settle on circles over training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of
from miscope_views.figures import figure, line, panels, title
from miscope_views.named_arrays import choice_of, first_row

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["ALIGNMENT_VIEW", "COLLAPSE_VIEW", "SEPARATION_VIEW"]

_READS = "geometry.classes"
_MOST = 8
_LOG = {"type": "log", "exponentformat": "power"}

Curve = tuple[str, str, str, str]
"""Array, what it is, its colour, its axis."""

_SEPARATION: tuple[Curve, ...] = (
    ("between", "between classes", OKABE_ITO[0], "y"),
    ("within", "within classes", OKABE_ITO[1], "y"),
    ("fisher_mean", "mean over pairs", OKABE_ITO[2], "y2"),
    ("fisher_min", "hardest pair", OKABE_ITO[3], "y2"),
)
_COLLAPSE: tuple[Curve, ...] = (
    ("nc1", "NC1: within, where classes differ", OKABE_ITO[0], "y"),
    ("1/ratio", "within over between", OKABE_ITO[4], "y"),
    ("nc2_angle", "NC2: angles", OKABE_ITO[1], "y2"),
    ("nc2_length", "NC2: lengths", OKABE_ITO[2], "y2"),
)


def separation(shown: ViewData, *, site: str) -> Figure:
    """Variance between and within the classes over training, and how far apart their pairs stand."""
    heading = title(shown, "How the classes come apart", site)
    upper = {"title": {"text": "mean square<br>distance"}, **_LOG}
    lower = {"title": {"text": "Fisher ratio"}, **_LOG}
    return _two(shown, site, _SEPARATION, (heading, upper, lower))


def collapse(shown: ViewData, *, site: str) -> Figure:
    """Neural collapse over training: spread that is left within classes, and distance from a regular simplex."""
    heading = title(shown, "Neural collapse", f"{site} · each is 0 once collapsed · NC1 = tr(S_W S_B⁺) / C")
    upper = {"title": {"text": "spread within<br>over between"}, **_LOG}
    lower = {"title": {"text": "deviation from<br>a simplex"}, "rangemode": "tozero"}
    return _two(shown, site, _COLLAPSE, (heading, upper, lower))


def _two(shown: ViewData, site: str, curves: Sequence[Curve], parts: tuple[dict[str, Any], ...]) -> Figure:
    """Curves in two panels; parts: the title, and what is particular to each y axis."""
    arrays = shown.artifacts[_READS]
    heading, upper, lower = parts
    above, below = panels((1, 1))
    traces = []
    for name, what, colour, axis in curves:
        hover = f"{what}: %{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
        values = 1 / arrays[f"{site}/ratio"] if name == "1/ratio" else arrays[f"{site}/{name}"]
        traces.append(line(arrays["step"], values, what, colour, yaxis=axis, hovertemplate=hover))
    layout = {
        "title": heading,
        "yaxis": {**upper, "domain": above},
        "yaxis2": {**lower, "domain": below},
        "showlegend": True,
    }
    return figure(traces, layout)


def alignment(shown: ViewData, *, site: str) -> Figure:
    """Share of the class means' variance in each strong block, and how round its circle is; or the best circle.

    Only a block of two functions has a plane in which there may be a circle.
    """
    arrays = shown.artifacts[_READS]
    if f"{site}/share" not in arrays:
        return _best_circle(shown, site)
    share, labels = arrays[f"{site}/share"], first_row(arrays[f"{site}/label"])
    strong = np.sort(np.argsort(-share.max(axis=0), kind="stable")[:_MOST])
    strong = strong[share.max(axis=0)[strong] >= min(0.05, share.max())]
    planes = strong[first_row(arrays[f"{site}/functions"])[strong] == 2]
    traces = []
    for k in strong:
        name, colour = str(labels[k]), colour_of(str(labels[k]))
        # Of a block that holds next to nothing the ellipse is that of the noise.
        ratio = np.where(share[:, k] >= 0.01, arrays[f"{site}/axis_ratio"][:, k], np.nan)
        both = ((share[:, k], "y", "share"), (ratio, "y2", "axis ratio"))
        for values, axis, what in both if k in planes else both[:1]:
            hover = f"{name}: {what} %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
            more = {"yaxis": axis, "legendgroup": name, "showlegend": axis == "y", "hovertemplate": hover}
            traces.append(line(arrays["step"], values, name, colour, **more))
    hidden = sum(int(np.isnan(trace["y"]).sum()) for trace in traces)
    note = "axis ratio 1: a circle, 0: a line" if len(planes) else "none of the strong blocks is a plane"
    layout = {
        "title": title(shown, "Class means in the blocks of the basis", f"{site} · {note}"),
        "yaxis": {"title": {"text": "share of variance"}, "range": [-0.02, 1.02]},
        "showlegend": True,
    }
    if len(planes):
        upper, lower = panels((1, 1))
        layout["yaxis"]["domain"] = upper
        layout["yaxis2"] = {"title": {"text": "minor over<br>major axis"}, "domain": lower, "range": [-0.02, 1.04]}
    return figure(traces, layout, gaps=hidden)


def _best_circle(shown: ViewData, site: str) -> Figure:
    arrays = shown.artifacts[_READS]
    score, null, steps = arrays[f"{site}/circularity"], arrays[f"{site}/circularity_null"], arrays["step"]
    best = score.argmax(axis=1)
    rows = np.arange(len(steps))
    edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0, "color": NULL}, "hoverinfo": "skip"}
    band = {"fill": "tonexty", "fillcolor": "rgba(154,154,154,0.3)", "name": "one axis shuffled"}
    pairs = first_row(arrays[f"{site}/pair"].reshape(len(steps), -1)).reshape(-1, 2)[best]
    hover = f"axes %{{customdata[0]}}, %{{customdata[1]}}: %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
    told = {"customdata": pairs, "hovertemplate": hover}
    curve = line(steps, score[rows, best], "best pair of axes", OKABE_ITO[0], **told)
    traces = [
        {**edge, "y": null[rows, 0, best], "showlegend": False},
        {**edge, "y": null[rows, 2, best], **band},
        curve,
    ]
    note = f"{site} · the family gives no basis over its answers"
    layout = {
        "title": title(shown, "The best circle through the class means", note),
        "yaxis": {"title": {"text": "circularity"}, "range": [-0.02, 1.02]},
        "showlegend": True,
    }
    return figure(traces, layout)


_SITE = choice_of("site", _READS, "spread")
_SHARED: Any = {
    "grain": Grain.TRAJECTORY,
    "needs": Needs(reads=(_READS,)),
    "controls": (_SITE,),
    "time_axis": "x",
}

SEPARATION_VIEW = View(name="geometry.separation", title="Separation of the classes", draw=separation, **_SHARED)
COLLAPSE_VIEW = View(
    name="geometry.collapse",
    title="Neural collapse",
    synonyms=("NC1", "equiangular tight frame"),
    draw=collapse,
    **_SHARED,
)
ALIGNMENT_VIEW = View(name="geometry.alignment", title="Class means and the basis", draw=alignment, **_SHARED)
