"""What heads do alone, and what two of them do that neither does without the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope.view import SAME_SCALE
from miscope_views.figures import WIDE, figure, title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["DATA", "INTERACTIONS_VIEW"]

_READS = "ablations.interactions"
DATA = {"test": "test inputs", "train": "training inputs", "all": "all inputs"}
"""Inputs that parts of a network are ablated for, in the order they are offered."""

_MOST_WRITTEN = 6
"""Heads up to which every number is written in its square."""


def interactions(shown: ViewData, *, data: str, quantity: str, locked: bool) -> Figure:
    """What ablating two heads does beyond the sum of each alone, beside what one ablated, or one alone, does.

    Positive for the loss: the two stand in for each other. Negative: they work only together.
    """
    arrays, history = shown.artifacts[_READS], shown.history[_READS]
    heads = arrays["head"].tolist()
    table, error = (np.asarray(arrays[f"pair/{data}/{name}"], dtype=np.float64) for name in _named(quantity))
    values = np.where(np.eye(len(heads), dtype=bool), np.nan, table)
    unit = "nats" if quantity == "loss" else "share right"
    hover = f"%{{y}} and %{{x}}: %{{z:+.4g}} ± %{{customdata:.2g}} {unit}<extra></extra>"
    heat: dict[str, Any] = {"type": "heatmap", "x": heads, "y": heads, "z": values, "customdata": WIDE * error}
    heat |= {"coloraxis": "coloraxis", "hovertemplate": hover, "hoverongaps": False}
    if len(heads) <= _MOST_WRITTEN:
        heat["texttemplate"] = "%{z:+.2g}"
    widest = np.abs(history[f"pair/{data}/{quantity}"] if locked else table).max()
    limit = float(widest) or 1.0
    whole, none = (float(arrays[f"{which}/{data}_{quantity}"]) for which in ("clean", "none"))
    count = int(arrays["inputs"])
    note = f"{DATA[data]}, those among {count:,} drawn · {quantity} {whole:.3g} with all heads, {none:.3g} with none"
    bar = {"title": {"text": f"beyond the sum, {unit}"}, "x": 0.42}
    layout: dict[str, Any] = {
        "title": title(shown, "Heads in pairs, and alone", note),
        "xaxis": {"type": "category", "domain": [0, 0.4], "showgrid": False, "constrain": "domain"},
        "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False, "scaleanchor": "x"},
        "coloraxis": {"cmin": -limit, "cmax": limit, "colorbar": bar},
        "xaxis2": {"type": "category", "domain": [0.62, 1], "anchor": "y2", "showgrid": False},
        "yaxis2": {"anchor": "x2", "title": {"text": f"change of {quantity} ({unit})"}, "zeroline": True},
        "barmode": "group",
        "legend": {"orientation": "h", "x": 0.81, "xanchor": "center", "y": -0.1, "yanchor": "top"},
        "showlegend": True,
    }
    if locked:
        layout["yaxis2"]["range"] = _range([history[f"{which}/{data}/{quantity}"] for which in ("ablated", "alone")])
    return figure([heat, *_bars(arrays, heads, data, quantity)], layout, gaps=len(heads))


def _named(quantity: str) -> tuple[str, str]:
    return quantity, f"{quantity}_sem"


def _bars(arrays: Mapping[str, np.ndarray], heads: list[str], data: str, quantity: str) -> list[dict[str, Any]]:
    traces = []
    for which, name, colour in (("ablated", "without it", OKABE_ITO[0]), ("alone", "without the others", OKABE_ITO[4])):
        values, error = (arrays[f"{which}/{data}/{each}"] for each in _named(quantity))
        whiskers = {"type": "data", "array": WIDE * error, "thickness": 1, "width": 3, "color": NULL}
        hover = f"{name}, %{{x}}: %{{y:+.4g}} ± %{{error_y.array:.2g}}<extra></extra>"
        bar = {"type": "bar", "x": heads, "y": values, "name": name, "marker": {"color": colour}, "error_y": whiskers}
        traces.append({**bar, "xaxis": "x2", "yaxis": "y2", "hovertemplate": hover})
    return traces


def _range(stacks: list[np.ndarray]) -> list[float]:
    """Of all of training, zero in it."""
    low, high = min(0.0, *(float(s.min()) for s in stacks)), max(0.0, *(float(s.max()) for s in stacks))
    margin = 0.06 * max(high - low, 1e-9)
    return [low - margin, high + margin]


def _parts(shown: ViewData) -> tuple[str, ...]:
    return tuple(part for part in DATA if f"pair/{part}/loss" in shown.artifacts[_READS])


INTERACTIONS_VIEW = View(
    name="ablations.interactions",
    title="Heads in pairs, and alone",
    grain=Grain.CHECKPOINT,
    draw=interactions,
    needs=Needs(reads=(_READS,), history=(_READS,)),
    controls=(
        Choice(name="data", options_from=_parts, label="inputs"),
        Choice(name="quantity", options=("loss", "accuracy")),
        SAME_SCALE,
    ),
)
