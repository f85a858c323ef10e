"""A variant at a glance: its windows of training, the story of its components, and the verdict with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.artifact import Arrays
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import NULL, OKABE_ITO, TEST, TRAIN, colour_of
from miscope.maths.verdict import labelled
from miscope_views.figures import figure, line, panels, title
from miscope_views.named_arrays import holders
from miscope_views.tables import table, tall

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_WINDOWS, _COMPONENTS = "summary.windows", "summary.components"
_SHADES = {
    "memorising": TRAIN,
    "plateau": NULL,
    "generalising": OKABE_ITO[2],
    "after": OKABE_ITO[4],
}


def windows(shown: ViewData) -> Figure:
    """The windows of training as bars under the losses: how long each lasted and what the losses did."""
    arrays = shown.artifacts[_WINDOWS]
    above, below = panels([1.3, 1])
    traces: list[dict[str, Any]] = []
    for split, colour in (("train", TRAIN), ("test", TEST)):
        if f"{split}_loss" in shown.metrics:
            series = shown.metrics[f"{split}_loss"]
            hover = f"{split} loss %{{y:.4g}} at {shown.step_label} %{{x:,}}<extra></extra>"
            traces.append(line(series.steps, series.values, split, colour, hovertemplate=hover))
    shades = []
    for i, name in enumerate(arrays["window"].tolist()):
        start, end = float(arrays["start"][i]), float(arrays["end"][i])
        if np.isnan(start):
            continue
        outcome = _said(shown, arrays, i)
        # Its words go to the side with more room.
        traces += _bar(name, (start, end), outcome, late=start > float(np.nanmax(arrays["end"])) - end)
        look = {"fillcolor": _SHADES[name], "opacity": 0.12, "line": {"width": 0}, "layer": "below"}
        shades.append({"type": "rect", "x0": start, "x1": end, "yref": "y domain", "y0": 0, "y1": 1, **look})
    names = arrays["window"].tolist()
    order = {"type": "category", "categoryorder": "array", "categoryarray": names, "range": [3.6, -0.6]}
    layout = {
        "title": title(
            shown, "Windows of training", f"{arrays['verdict'][0]} · {_crossing(shown, arrays)}".strip(" ·")
        ),
        "yaxis": {"title": {"text": "loss (nats)"}, "type": "log", "domain": above, "exponentformat": "power"},
        "yaxis2": {"domain": below, "showgrid": False, **order},
        "shapes": shades,
        "showlegend": True,
    }
    return figure(traces, layout)


def _bar(name: str, edges: tuple[float, float], outcome: str, *, late: bool) -> list[dict[str, Any]]:
    """A thick line from start to end, and what is to be said of it where there is room."""
    place = {"type": "scatter", "y": [name, name], "yaxis": "y2", "showlegend": False}
    bar = {"mode": "lines", "x": np.array(edges), "line": {"color": _SHADES[name], "width": 18}}
    where = {"x": [edges[0] if late else edges[1]], "y": [name]}
    # Beside the bar there is room for its length and what became of the last loss; the cursor tells the rest.
    short = " · ".join(dict.fromkeys((outcome.split(" · ")[0], outcome.split(" · ")[-1])))
    text = {"mode": "text", "text": [f"  {short}  "], "textposition": "middle left" if late else "middle right"}
    hover = {"hovertemplate": f"{name}: {outcome}<extra></extra>"}
    return [{**place, **bar, **hover}, {**place, **where, **text, "hoverinfo": "skip", "cliponaxis": False}]


def _said(shown: ViewData, arrays: Arrays, i: int) -> str:
    length = float(arrays["end"][i] - arrays["start"][i])
    outcome = f"{length:,.0f} {shown.step_label}s" + (", still open" if arrays["open"][i] else "")
    for split in ("train", "test"):
        if f"{split}_loss" in arrays:
            before, after = arrays[f"{split}_loss"][i]
            outcome += f" · {split} {before:.2g} → {after:.2g}"
    return outcome


def _crossing(shown: ViewData, arrays: Arrays) -> str:
    crossings = []
    for layer in holders(arrays, "rank_crossing"):
        step = float(arrays[f"{layer}/rank_crossing"])
        if np.isfinite(step):
            crossings.append(f"{layer}: W_out below W_in in rank from {shown.step_label} {step:,.0f}")
    return " · ".join(crossings[:2])


_SITE = Choice(name="site", options_from=lambda shown: holders(shown.artifacts[_COMPONENTS], "state"))


def components(shown: ViewData, *, site: str) -> Figure:
    """The neurons of each component that ever had a cluster, as ribbons in the order they came."""
    arrays = shown.artifacts[_COMPONENTS]
    steps, label, state = arrays["at"], arrays[f"{site}/label"], arrays[f"{site}/state"]
    arrived, share = arrays[f"{site}/arrived"], arrays[f"{site}/share"].astype(np.float64)
    ever = np.flatnonzero(state != "never")
    ever = ever[np.lexsort((-share.max(axis=0)[ever], arrived[ever]))]
    most = float(share[:, ever].max(initial=0)) or 1.0
    roles = holders(arrays, "crossover")
    above, below = panels([2.2, 1]) if roles else ([0, 1], None)
    traces = [] if len(ever) else [_nothing(steps)]
    for row, k in enumerate(ever):
        half = 0.46 * share[:, k] / most
        traces += _ribbon(steps, row, half, (str(label[k]), share[:, k]), shown.step_label)
        traces.append(_fate(steps, row, str(state[k]), share[:, k]))
    traces += _moments(arrays, site, ever)
    layout: dict[str, Any] = {
        "title": title(shown, f"Story of the components of {site}", _story(shown, arrays, site)),
        "yaxis": {
            "title": {"text": next((basis.unit for basis in shown.bases.values()), "component")},
            "domain": above,
            "tickvals": list(range(len(ever))),
            "ticktext": [str(label[k]) for k in ever],
            "range": [max(len(ever), 1) - 0.4, -0.6],
            "showgrid": False,
        },
        "margin": {"r": 150},
        "legend": {"orientation": "h", "x": 0, "y": -0.16, "yanchor": "top"},
        "showlegend": True,
    }
    if below:
        layout["yaxis2"] = {"title": {"text": "key share of<br>embedding power"}, "domain": below, "range": [0, 1.02]}
        layout["shapes"] = [{**_HALF, "y0": 0.5, "y1": 0.5}]
    return figure([*traces, *_key_shares(shown, roles)], layout)


def _key_shares(shown: ViewData, roles: Sequence[str]) -> list[dict[str, Any]]:
    """How much of each embedding's power is in the key components."""
    arrays, traces = shown.artifacts[_COMPONENTS], []
    for i, role in enumerate(roles):
        hover = f"{role}: %{{y:.1%}} in key components at {shown.step_label} %{{x:,}}<extra></extra>"
        colour = OKABE_ITO[(2, 5, 4, 0)[i % 4]]
        traces.append(line(arrays["at"], arrays[f"{role}/key_share"], role, colour, yaxis="y2", hovertemplate=hover))
    return traces


_HALF = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y2", "line": {"color": NULL, "dash": "dash"}}


def _fate(steps: np.ndarray, row: int, state: str, share: np.ndarray) -> dict[str, Any]:
    """What became of a component, in words beside the end of its ribbon."""
    ended = f"once {share.max():.0%}" if state == "transient" else f"{share[-1]:.0%}"
    where = {"x": [steps[-1]], "y": [row], "text": [f"  {state}, {ended}"], "textposition": "middle right"}
    look = {"mode": "text", "cliponaxis": False, "hoverinfo": "skip", "showlegend": False}
    return {"type": "scatter", **where, **look}


def _nothing(steps: np.ndarray) -> dict[str, Any]:
    """A line of words across the time axis, where there is nothing else to draw."""
    message = ["no component has a cluster of neurons at any step"]
    place = {"type": "scatter", "mode": "text", "x": [float(steps.mean())], "y": [0], "text": message}
    return {**place, "hoverinfo": "skip", "showlegend": False}


def _ribbon(
    steps: np.ndarray, row: int, half: np.ndarray, named: tuple[str, np.ndarray], step_label: str
) -> list[dict[str, Any]]:
    name, share = named
    colour = colour_of(name)
    edge = {"type": "scatter", "mode": "lines", "x": steps, "showlegend": False}
    edge["line"] = {"width": 0.5, "color": colour}
    hover = f"{name}: %{{customdata:.1%}} of neurons at {step_label} %{{x:,}}<extra></extra>"
    upper = {**edge, "y": row - half, "hoverinfo": "skip"}
    filled = {"fill": "tonexty", "fillcolor": colour, "customdata": share, "hovertemplate": hover}
    return [upper, {**edge, "y": row + half, **filled}]


_MOMENTS = (
    ("arrived", "has a cluster", "triangle-right"),
    ("half", "half of its final size", "diamond"),
    ("left", "lost it", "x"),
)


def _moments(arrays: Arrays, site: str, ever: np.ndarray) -> list[dict[str, Any]]:
    """Marks where a component came, had half its neurons, and was gone."""
    row = np.arange(len(ever))
    traces = []
    for what, label, symbol in _MOMENTS:
        at = arrays[f"{site}/{what}"][ever]
        known = np.isfinite(at)
        if known.any():
            look = {"color": NULL, "symbol": symbol, "size": 8, "line": {"width": 1, "color": "white"}}
            place = {"type": "scatter", "mode": "markers", "x": at[known], "y": row[known]}
            hover = f"{label} at %{{x:,}}<extra></extra>"
            traces.append({**place, "name": label, "marker": look, "hovertemplate": hover})
    return traces


def _story(shown: ViewData, arrays: Arrays, site: str) -> str:
    movers, step = arrays[f"{site}/first_mover"].tolist(), float(arrays[f"{site}/first_mover_step"])
    already = arrays[f"{site}/label"][arrays[f"{site}/already"]].tolist()
    if not movers and not already:
        if len(shown.steps) == 1:
            return f"no component has a cluster of neurons at {shown.step_label} {shown.steps[0]:,}, the one checkpoint"
        return "no component ever has a cluster of neurons"
    text = f"first {', '.join(movers[:3])} at {shown.step_label} {step:,.0f}"
    if already:
        text = f"{', '.join(already[:5])} there by {shown.step_label} {int(arrays['at'][0]):,}, where the record begins"
    lost, homeless = int(arrays[f"{site}/transient_count"]), int(arrays[f"{site}/homeless_count"])
    text += f" · {lost} transient" + (f", {homeless} neurons homeless" if homeless else "")
    role = next(iter(holders(arrays, "crossover")), None)
    crossed = float(arrays[f"{role}/crossover"]) if role else np.nan
    return text + (f" · {role} crosses over at {crossed:,.0f}" if np.isfinite(crossed) else "")


def classification(shown: ViewData) -> Figure:
    """The verdict and every test in order: what was measured, where the line is, and whether it is met."""
    arrays = shown.artifacts[_WINDOWS]
    if not len(arrays["criterion"]):
        raise DoesNotApply("nothing was tested")
    met = arrays["met"].tolist()
    first = met.index(False) if False in met else len(met)
    marks = ["met" if ok else ("not met: decides" if i == first else "not met") for i, ok in enumerate(met)]
    columns = {
        "test, in order": arrays["criterion"].tolist(),
        "measured": [_number(value) for value in arrays["value"]],
        "line": [_number(value) for value in arrays["limit"]],
        "": marks,
    }
    rows = {**table(columns), "domain": {"x": [0, 1], "y": [0, 0.8]}}
    reason = " · ".join(labelled(each, shown.step_label) for each in arrays["reason"].tolist())
    note = {"text": reason, "xref": "paper", "yref": "paper", "x": 0, "y": 0.93, "xanchor": "left"}
    head = title(shown, f"Verdict: {arrays['verdict'][0]}", "the first test that is not met decides")
    return figure([rows], {"title": head, "annotations": [note], "height": tall(rows, more=100)})


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "never"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


VIEWS = (
    View(
        name="summary.windows",
        title="Windows of training",
        grain=Grain.TRAJECTORY,
        draw=windows,
        needs=Needs(reads=(_WINDOWS,), metrics=("*_loss",)),
        time_axis="x",
    ),
    View(
        name="summary.components",
        title="Story of the components",
        grain=Grain.TRAJECTORY,
        draw=components,
        in_reports=({},),
        needs=Needs(reads=(_COMPONENTS,), bases=("*",), grid=2),
        controls=(_SITE,),
        time_axis="x",
    ),
    View(
        name="summary.classification",
        title="Verdict",
        grain=Grain.TRAJECTORY,
        draw=classification,
        needs=Needs(reads=(_WINDOWS,)),
    ),
)
