"""Which roles heads play on repeated tokens, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Shown, Toggle, View
from miscope.figure_style import NULL, OKABE_ITO
from miscope_views.figures import CLOCK, MARKS, clock_axis, event_marks, figure, line, panels, title
from miscope_views.head_names import head_colour, head_dash, head_name
from miscope_views.named_arrays import first_row, holders

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_ROLES = "heads.roles"
_BAND = "rgba(154,154,154,0.3)"


def roles(shown: Shown, *, locked: bool) -> Figure:
    """How much of every head's attention serves each role, beside what it would be without a repeat."""
    arrays = shown.artifacts[_ROLES]
    sites, labels = holders(arrays, "score"), arrays["label"].tolist()
    score, sem, null = (np.concatenate([arrays[f"{s}/{what}"] for s in sites], 1) for what in ("score", "sem", "null"))
    names = [head_name(site, head) for site in sites for head in range(arrays[f"{site}/score"].shape[1])]
    over = shown.history[_ROLES] if locked else arrays
    most = 1.1 * max(float(np.max(over[f"{site}/score"])) for site in sites)
    traces: list[dict[str, Any]] = []
    layout: dict[str, Any] = {
        "title": title(shown, "Roles of heads on repeated tokens", _periods(arrays)),
        "xaxis": {"type": "category", "title": {"text": "head"}, "anchor": f"y{len(labels)}", "showgrid": False},
        "annotations": [],
        "barmode": "overlay",
        "showlegend": True,
        "bargap": 0.25,
    }
    for i, (label, domain) in enumerate(zip(labels, panels([1.0] * len(labels), 0.06), strict=True)):
        y = "y" if i == 0 else f"y{i + 1}"
        hover = f"%{{x}}: {label} %{{y:.3f}} ± %{{error_y.array:.3f}} of attention<extra></extra>"
        bar = {"type": "bar", "x": names, "y": score[i], "yaxis": y, "showlegend": False, "hovertemplate": hover}
        error = {"type": "data", "array": sem[i], "thickness": 1, "width": 2, "color": NULL}
        traces.append({**bar, "error_y": error, "marker": {"color": OKABE_ITO[i % len(OKABE_ITO)]}})
        traces.append(_without_repeat(names, null[i], y, first=i == 0))
        axis = {"domain": domain, "range": [0, most], "nticks": 3}
        layout["yaxis" if i == 0 else f"yaxis{i + 1}"] = axis
        place = {"x": 0.01, "y": domain[1], "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "top"}
        layout["annotations"].append({"text": label, **place, "showarrow": False})
    layout["yaxis"]["title"] = {"text": "attention"}
    return figure(traces, layout)


def roles_over_training(shown: Shown, *, role: str, clock: str, events: bool) -> Figure:
    """How much of every head's attention serves one role over training, above what it would be without a repeat."""
    arrays = shown.artifacts[_ROLES]
    sites, steps = holders(arrays, "score"), arrays["step"]
    row = first_row(arrays["label"]).tolist().index(role)
    upper, lower = panels((3, 1))
    null = np.concatenate([arrays[f"{site}/null"][:, row] for site in sites], axis=1)
    edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0, "color": NULL}, "hoverinfo": "skip"}
    traces: list[dict[str, Any]] = [
        {**edge, "y": null.min(axis=1), "showlegend": False},
        {**edge, "y": null.max(axis=1), "name": "without a repeat", "fill": "tonexty", "fillcolor": _BAND},
    ]
    for site in sites:
        score = arrays[f"{site}/score"][:, row]
        for head in range(score.shape[1]):
            name, dash = head_name(site, head), {"dash": head_dash(site)}
            hover = f"{name}: %{{y:.3f}} of attention at {shown.step_label} %{{x:,}}<extra></extra>"
            traces.append(line(steps, score[:, head], name, head_colour(head), line=dash, hovertemplate=hover))
    gain = line(steps, arrays["gain"], "gain", OKABE_ITO[7], yaxis="y2", showlegend=False)
    traces.append({**gain, "hovertemplate": f"%{{y:.3f}} nats at {shown.step_label} %{{x:,}}<extra></extra>"})
    layout = {
        "title": title(shown, f"Heads' role over training: {role}", _periods(arrays)),
        "xaxis": {**clock_axis(shown, clock), "anchor": "y2"},
        "yaxis": {"title": {"text": "attention"}, "domain": upper, "rangemode": "tozero"},
        "yaxis2": {"title": {"text": "loss gained<br>by the repeat (nats)"}, "domain": lower},
        "shapes": event_marks(shown, events),
        "showlegend": True,
    }
    return figure(traces, layout)


def _without_repeat(names: list[str], null: np.ndarray, y: str, *, first: bool) -> dict[str, Any]:
    mark = {"symbol": "line-ew", "size": 18, "line": {"width": 2, "color": NULL}}
    place = {"type": "scatter", "mode": "markers", "x": names, "y": null, "yaxis": y, "marker": mark}
    hover = "%{x}: %{y:.3f} without a repeat<extra></extra>"
    return {**place, "name": "without a repeat", "showlegend": first, "hovertemplate": hover}


def _periods(arrays: Any) -> str:
    return f"least over blocks of {', '.join(str(period) for period in first_row(arrays['period']))} tokens"


def _role_names(shown: Shown) -> list[str]:
    return first_row(shown.artifacts[_ROLES]["label"]).tolist()


VIEWS = (
    View(
        name="heads.roles",
        title="Roles of heads",
        grain=Grain.CHECKPOINT,
        draw=roles,
        reads=(_ROLES,),
        history=(_ROLES,),
        controls=(Toggle(name="locked", default=True, label="same scale at every step"),),
    ),
    View(
        name="heads.roles_over_training",
        title="Roles of heads over training",
        grain=Grain.TRAJECTORY,
        draw=roles_over_training,
        reads=(_ROLES,),
        controls=(Choice(name="role", options_from=_role_names, default="prefix matching"), CLOCK, MARKS),
        time_axis="x",
    ),
)
