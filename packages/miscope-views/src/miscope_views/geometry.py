"""Where the classes lie in activation space at a step: on their principal axes, in the planes of a basis, how apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.basis import Basis
from miscope.figures.figure_style import NULL, ON_A_PATH
from miscope_views.figures import figure, panels, title
from miscope_views.geometry_over_training import ALIGNMENT_VIEW, COLLAPSE_VIEW, SEPARATION_VIEW
from miscope_views.named_arrays import choice_of, first_row, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS, _PATH = "geometry.classes", "geometry.pca"
_AXES = {"1-2": (0, 1), "1-3": (0, 2), "2-3": (1, 2), "3-D": (0, 1, 2)}
_BY_CLASS = "answer"
_ACROSS, _MOST_PLANES = 2, 6


def centroids(shown: ViewData, *, site: str, axes: str, colour: str) -> Figure:
    """The mean activation of every class on the principal axes of this step; one point a class."""
    arrays = shown.artifacts[_READS]
    reach = 1.08 * float(np.abs(shown.history[_READS][f"{site}/coordinates"]).max())
    names = [f"axis {i + 1} ({share:.0%})" for i, share in enumerate(arrays[f"{site}/explained"])]
    note = f"{site} · lengths relative to the classes' spread, {float(arrays[f'{site}/spread']):.3g}"
    points = arrays[f"{site}/coordinates"][:, list(_AXES[axes])]
    shown_names = [names[i] for i in _AXES[axes]]
    marks = _coloured(shown, arrays, site, colour)
    layout: dict[str, Any] = {"title": title(shown, "Class means on their principal axes", note), "showlegend": False}
    return _scatter(points, _axes(shown_names, reach), (marks, arrays["class"]), layout)


def global_path(shown: ViewData, *, site: str, axes: str, colour: str) -> Figure:
    """The class means on axes that are the same at every step, with the way each has come."""
    arrays = shown.artifacts[_PATH]
    scores, at = arrays[f"{site}/scores"], arrays["at"]
    assert shown.step is not None
    now = int(np.searchsorted(at, shown.step))
    share = arrays[f"{site}/explained"]
    kept = float(arrays[f"{site}/explained_at"][min(now, len(at) - 1), list(_AXES[axes])].sum())
    names = [f"fixed axis {i + 1} ({share[i]:.0%} over training)" for i in _AXES[axes]]
    points = scores[min(now, len(at) - 1)][:, list(_AXES[axes])]
    trail = scores[max(0, now - _TRAIL) : now + 1][..., list(_AXES[axes])]
    marks = _coloured(shown, shown.artifacts[_READS], site, colour)
    note = f"{site} · they hold {kept:.0%} of this step's variance · lines: the last {_TRAIL} checkpoints"
    layout: dict[str, Any] = {"title": title(shown, "Class means on fixed axes", note), "showlegend": False}
    reach = 1.08 * float(np.abs(scores).max())
    return _scatter(points, _axes(names, reach), (marks, shown.artifacts[_READS]["class"]), layout, trail)


_TRAIL = 8
"""Checkpoints of the way behind a class mean."""


def _axes(names: Sequence[str], reach: float) -> list[dict[str, Any]]:
    return [{"title": {"text": name}, "range": [-reach, reach]} for name in names]


def _scatter(
    points: np.ndarray,
    axes: Sequence[Mapping[str, Any]],
    marks: tuple[Mapping[str, Any], np.ndarray],
    layout: dict[str, Any],
    trail: np.ndarray | None = None,
) -> Figure:
    """Points (C, 2) or (C, 3), one a class, and the way behind them (t, C, 2 or 3)."""
    marker, values = marks
    solid = points.shape[1] == 3
    letters = "xyz"[: points.shape[1]]
    place = {letter: points[:, i] for i, letter in enumerate(letters)}
    kind = "scatter3d" if solid else "scatter"
    hover = "answer %{text}<br>" + ", ".join(f"%{{{letter}:.3g}}" for letter in letters) + "<extra></extra>"
    traces: list[dict[str, Any]] = []
    gaps = 0
    if trail is not None and len(trail) > 1:
        broken = np.concatenate([trail, np.full((1, *trail.shape[1:]), np.nan)])
        way = {letter: broken[..., i].T.ravel() for i, letter in enumerate(letters)}
        gaps = trail.shape[1]
        faint = {"color": NULL, "width": 1}
        traces.append({"type": kind, "mode": "lines", **way, "line": faint, "opacity": 0.5, "hoverinfo": "skip"})
    size = {"size": 4 if solid else 9}
    text = values.astype(str).tolist()
    traces.append({"type": kind, "mode": "markers", **place, "text": text, "marker": {**marker, **size}})
    traces[-1]["hovertemplate"] = hover
    if solid:
        return figure(traces, layout | {"scene": {f"{k}axis": a for k, a in zip("xyz", axes, strict=True)}}, gaps=gaps)
    square = {"scaleanchor": "x", "constrain": "domain"}
    flat = {"xaxis": {**axes[0], "constrain": "domain"}, "yaxis": {**axes[1], **square}}
    return figure(traces, layout | flat, gaps=gaps)


def circles(shown: ViewData, *, site: str, colour: str) -> Figure:
    """The class means in the plane of each strong block of the answers' basis, or in pairs of axes with a circle.

    A block of more than two functions has no plane: there they are seen along its two widest directions.
    """
    arrays = shown.artifacts[_READS]
    if f"{site}/plane" not in arrays:
        return _fitted(shown, site, colour)
    share = arrays[f"{site}/share"]
    strong = np.argsort(-share, kind="stable")[:_MOST_PLANES]
    chosen = strong[share[strong] > 0.01] if (share > 0.01).any() else strong[:1]
    planes = arrays[f"{site}/functions"][chosen] == 2
    cells = []
    for k in chosen:
        points, label = arrays[f"{site}/plane"][k].astype(np.float64), str(arrays[f"{site}/label"][k])
        cells.append((points, _block_name(arrays, site, k), label, None))
    note = f"{site} · share of variance" + (" · axis ratio · R² of the angle" if planes.any() else "")
    heading = f"Class means in the {'planes' if planes.all() else 'blocks'} of the basis"
    return _grid(shown, cells, title(shown, heading, note), site, colour)


def _block_name(arrays: Mapping[str, np.ndarray], site: str, k: int) -> str:
    """'14: 45.2 % · 0.98 · 0.99' of a plane; of another block, how much of it the two directions hold that are seen."""
    name = f"{arrays[f'{site}/label'][k]}: {arrays[f'{site}/share'][k]:.1%}"
    functions = int(arrays[f"{site}/functions"][k])
    if functions == 1:
        return f"{name} · one function"
    if functions > 2:
        return f"{name}<br>2 of {functions} directions: {arrays[f'{site}/plane_share'][k]:.0%} of it"
    measured = (float(arrays[f"{site}/{what}"][k]) for what in ("axis_ratio", "angular_r2"))
    return " · ".join([name, *(f"{value:.2f}" if np.isfinite(value) else "none" for value in measured)])


def _fitted(shown: ViewData, site: str, colour: str) -> Figure:
    arrays = shown.artifacts[_READS]
    score, null = arrays[f"{site}/circularity"], arrays[f"{site}/circularity_null"][2]
    cells = []
    for p in np.argsort(-score, kind="stable")[:_MOST_PLANES]:
        first, second = arrays[f"{site}/pair"][p]
        points = arrays[f"{site}/coordinates"][:, [first - 1, second - 1]].astype(np.float64)
        name = f"axes {first}, {second}: {score[p]:.2f}<br>shuffled {null[p]:.2f}"
        cells.append((points, name, _BY_CLASS, arrays[f"{site}/circle"][p]))
    note = f"{site} · the family gives no basis over its answers · circularity, and 97.5 % of shuffles"
    return _grid(shown, cells, title(shown, "Circles through the class means", note), site, colour)


def _grid(shown: ViewData, cells: Sequence[tuple[Any, ...]], heading: dict[str, Any], site: str, colour: str) -> Figure:
    """Panels of points, two across; in each block's own colours, unless one colouring was asked for."""
    arrays = shown.artifacts[_READS]
    text = arrays["class"].astype(str).tolist()
    rows = -(-len(cells) // _ACROSS)
    heights, width = panels([1.0] * rows, 0.16), 1 / min(_ACROSS, len(cells))
    traces, layout, names = [], {"title": heading, "showlegend": False, "shapes": []}, []
    for i, (points, name, own, circle) in enumerate(cells):
        suffix = "" if i == 0 else str(i + 1)
        left, up = (i % _ACROSS) * width, heights[i // _ACROSS]
        reach = 1.12 * max(float(np.abs(points).max()), 1e-9)
        marker = {**_coloured(shown, arrays, site, own if colour == _OWN else colour), "size": 6, "showscale": False}
        hover = f"answer %{{text}}<br>%{{x:.3g}}, %{{y:.3g}}<extra>{name}</extra>"
        place = {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}", "x": points[:, 0], "y": points[:, 1], "text": text}
        traces.append({"type": "scatter", "mode": "markers", **place, "marker": marker, "hovertemplate": hover})
        side = {"range": [-reach, reach], "zeroline": True, "nticks": 4}
        across = {**side, "domain": [left, left + 0.8 * width], "anchor": f"y{suffix}", "constrain": "domain"}
        upward = {**side, "domain": up, "anchor": f"x{suffix}", "scaleanchor": f"x{suffix}", "constrain": "domain"}
        upward["constraintoward"] = "top"  # below its name
        layout |= {f"xaxis{suffix}": across, f"yaxis{suffix}": upward}
        at = {"x": left + 0.4 * width, "y": up[1], "xref": "paper", "yref": "paper"}
        at |= {"xanchor": "center", "yanchor": "bottom"}
        names.append({"text": name, **at, "showarrow": False})
        if circle is not None:
            layout["shapes"].append(_circle(circle, suffix))
    return figure(traces, layout | {"annotations": names, "margin": {"t": 92}})


def _circle(circle: np.ndarray, suffix: str) -> dict[str, Any]:
    x, y, radius = (float(value) for value in circle)
    place = {"x0": x - radius, "x1": x + radius, "y0": y - radius, "y1": y + radius}
    return {"type": "circle", "xref": f"x{suffix}", "yref": f"y{suffix}", **place, "line": {"color": NULL, "width": 1}}


def distances(shown: ViewData, *, site: str) -> Figure:
    """How far every two classes stand apart, for their width: the Fisher ratio of each pair."""
    arrays = shown.artifacts[_READS]
    points = arrays[f"{site}/centroid"].astype(np.float64) * float(arrays[f"{site}/spread"])
    squares = (points**2).sum(axis=1)
    wide = arrays[f"{site}/radius"].astype(np.float64) ** 2
    apart = (squares[:, None] + squares[None] - 2 * points @ points.T).clip(min=0)
    sums = wide[:, None] + wide[None]
    ratio = np.where(sums > 0, apart / np.where(sums > 0, sums, 1.0), 0.0)
    names = arrays["class"].astype(str).tolist()
    first, second = arrays[f"{site}/fisher_min_pair"].astype(str)
    heat = {"type": "heatmap", "x": names, "y": names, "z": ratio, "coloraxis": "coloraxis"}
    heat["hovertemplate"] = "answers %{y} and %{x}<br>Fisher ratio %{z:.3g}<extra></extra>"
    lowest = float(arrays[f"{site}/fisher_min"])
    square = {"type": "scatter", "mode": "markers", "x": [first, second], "y": [second, first], "hoverinfo": "skip"}
    square["marker"] = {"symbol": "square-open", "size": 11, "color": "#D55E00", "line": {"width": 2}}
    hardest = f"hardest to tell: {first} and {second}, at {lowest:.3g}"
    note = f"{site} · {hardest if np.isfinite(lowest) else 'no two classes have a distance and a width'}"
    last = len(names) - 0.5
    side = {"type": "category", "nticks": 12, "showgrid": False, "constrain": "domain", "title": {"text": "answer"}}
    layout = {
        "title": title(shown, "How far apart the classes are", note),
        # As far as the cells: marks at the rim would have axes reach beyond them.
        "xaxis": {**side, "range": [-0.5, last]},
        "yaxis": {**side, "range": [last, -0.5], "scaleanchor": "x"},
        "coloraxis": {"cmin": 0, "colorbar": {"title": {"text": "Fisher ratio"}}},
        "showlegend": False,
    }
    return figure([heat, square] if np.isfinite(lowest) else [heat], layout)


_OWN = "own block"


def _coloured(shown: ViewData, arrays: Mapping[str, np.ndarray], site: str, colour: str) -> dict[str, Any]:
    """Marker colours of the classes: by answer, or by the angle that a block gives to each."""
    basis = _answers_basis(shown, arrays, site)
    block = next((b for b in basis.components if b.label == colour and len(b.rows) == 2), None) if basis else None
    if basis is None or block is None:
        values = np.arange(len(arrays["class"]), dtype=float)
        bar = {"title": {"text": "answer"}}
        return {"color": values, "colorscale": list(ON_A_PATH), "showscale": True, "colorbar": bar}
    angle = np.arctan2(basis.rows[block.rows[1]], basis.rows[block.rows[0]])
    bar = {"title": {"text": f"angle of {colour}"}, "tickvals": [-np.pi, 0, np.pi], "ticktext": ["-π", "0", "π"]}
    return {"color": angle, "colorscale": "Phase", "cmin": -np.pi, "cmax": np.pi, "showscale": True, "colorbar": bar}


def _answers_basis(shown: ViewData, arrays: Mapping[str, np.ndarray], site: str) -> Basis | None:
    if f"{site}/label" not in arrays:
        return None
    labels = tuple(arrays[f"{site}/label"].tolist())
    return next((b for b in shown.bases.values() if b.labels == labels and b.size == len(arrays["class"])), None)


def _colours(shown: ViewData) -> Sequence[str]:
    """By the angle of one of the blocks that are strong at the end of training, the strongest first, or by answer."""
    arrays = shown.history[_READS]
    labels: list[str] = []
    for site in holders(arrays, "share"):
        share = arrays[f"{site}/share"][-1]
        strong = np.argsort(-share, kind="stable")[:_MOST_PLANES]
        labels += first_row(arrays[f"{site}/label"])[strong[share[strong] > 0.01]].tolist()
    return *dict.fromkeys(labels), _BY_CLASS


def _own_or_one(shown: ViewData) -> Sequence[str]:
    return _OWN, *_colours(shown)


_SITE = choice_of("site", _READS, "spread")
_COLOUR = Choice(name="colour", options_from=_colours, label="colour by")
_AXIS = Choice(name="axes", options=tuple(_AXES), label="axes")
_SHARED: Any = {"grain": Grain.CHECKPOINT, "needs": Needs(reads=(_READS,), history=(_READS,), bases=("*",))}

VIEWS = (
    View(
        name="geometry.centroids",
        title="Class means",
        synonyms=("PCA", "class centroids", "manifold"),
        draw=centroids,
        controls=(_SITE, _AXIS, _COLOUR),
        **_SHARED,
    ),
    View(
        name="geometry.circles",
        title="Class means on circles",
        draw=circles,
        controls=(_SITE, Choice(name="colour", options_from=_own_or_one, label="colour by")),
        **_SHARED,
    ),
    View(
        name="geometry.global_path",
        title="Class means on fixed axes",
        grain=Grain.CHECKPOINT,
        draw=global_path,
        needs=Needs(reads=(_READS, _PATH), history=(_READS,), bases=("*",)),
        controls=(_SITE, _AXIS, _COLOUR),
    ),
    View(
        name="geometry.distances",
        title="Distances between classes",
        draw=distances,
        controls=(_SITE,),
        **_SHARED,
    ),
    SEPARATION_VIEW,
    COLLAPSE_VIEW,
    ALIGNMENT_VIEW,
)
