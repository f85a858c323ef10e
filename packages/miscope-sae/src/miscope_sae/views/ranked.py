"""Latents one by one, the densest first: how often, how strongly, and at which inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO, TRAIN
from miscope.figures.frame import figure
from miscope_sae.rows.shown_rows import POSITION, SOURCE_INPUT
from miscope_sae.views.frame import title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["RANKED_VIEW"]

_LATENTS = "sae.latents"
_NAMED = 4
"""Inputs that are named of each latent."""
_MEMBERS = {"autoencoder": "train", "source": "source_train"}
_NONE = "no training"


def ranked(shown: ViewData, *, trained: str) -> Figure:
    """Latents that fire by falling density, with their largest activation and the share of inputs trained on."""
    arrays = shown.artifacts[_LATENTS]
    order = arrays["order"][arrays["density"][arrays["order"]] > 0]
    rank, member = np.arange(1, len(order) + 1), _MEMBERS.get(trained)
    known = [f"latent {latent}<br>{_inputs(shown, arrays, latent)}" for latent in order]
    rows = [
        ("density", "density", OKABE_ITO[0], {"type": "log", "nticks": 5}),
        ("max_active", "strongest", OKABE_ITO[2], {"rangemode": "tozero"}),
    ]
    if member is not None:
        rows.append((f"{member}_share", "trained on", TRAIN, {"range": [-0.04, 1.04]}))
    traces, layout = [], dict[str, Any]()
    for number, (name, label, colour, axis) in enumerate(rows):
        key = "" if number == 0 else str(number + 1)
        hover = f"%{{text}}<br>{label} %{{y:.3g}}<extra></extra>"
        dots = {"type": "scatter", "mode": "markers", "x": rank, "y": arrays[name][order], "text": known, "name": label}
        traces.append(dots | {"yaxis": f"y{key}", "marker": {"color": colour, "size": 4}, "hovertemplate": hover})
        layout[f"yaxis{key}"] = axis | {"title": {"text": label}, "domain": _domain(number, len(rows))}
    if member is not None:
        expected = float(arrays[f"{member}_expected"])
        level = {"type": "scatter", "mode": "lines", "x": rank[[0, -1]] if len(rank) else rank, "y": [expected] * 2}
        traces.append(level | {"yaxis": "y3", "line": {"color": NULL, "dash": "dash"}, "hoverinfo": "skip"})
    return figure(traces, layout | _common(shown, arrays, member, len(order)))


def _common(shown: ViewData, arrays: Mapping[str, np.ndarray], member: str | None, fire: int) -> dict[str, Any]:
    note = f"{fire:,} of {len(arrays['density']):,} fire"
    if member is not None:
        share, prefer = float(arrays[f"{member}_expected"]), int(arrays[f"{member}_prefer"])
        note += f"; {share:.0%} of inputs trained on, {prefer:,} prefer these (q < 0.05)"
    return {
        "title": title(shown, "Latents by how often they are active", note),
        "xaxis": {"title": {"text": "latents, the densest first"}, "anchor": "free", "position": 0},
        "showlegend": False,
        "hovermode": "closest",
    }


def _domain(number: int, count: int, gap: float = 0.06) -> list[float]:
    """Of one of so many panels, from above."""
    height = (1 - gap * (count - 1)) / count
    top = 1 - number * (height + gap)
    return [max(0.0, top - height), top]


def _inputs(shown: ViewData, arrays: Mapping[str, np.ndarray], latent: int) -> str:
    """'a=3 b=5, a=5 b=3': where it is most active; row numbers where the probe enumerates no factors, and of rows by
    position that of the input and the place in it, '3 at 5'."""
    assert shown.probe is not None
    rows = [int(row) for row in arrays["top"][latent][:_NAMED] if row >= 0]
    known = shown.probe.columns
    if SOURCE_INPUT in known:
        return "inputs " + ", ".join(f"{known[SOURCE_INPUT][row]} at {known[POSITION][row]}" for row in rows)
    columns = {name: known[name] for name in shown.probe.grid}
    if not columns:
        return "inputs " + ", ".join(map(str, rows))
    return ", ".join(" ".join(f"{name}={int(values[row])}" for name, values in columns.items()) for row in rows)


def _trainings(shown: ViewData) -> tuple[str, ...]:
    arrays = shown.artifacts.get(_LATENTS, {})
    return tuple(name for name, member in _MEMBERS.items() if f"{member}_share" in arrays) or (_NONE,)


RANKED_VIEW = View(
    name="sae.ranked",
    title="Latents by how often they are active",
    grain=Grain.CHECKPOINT,
    draw=ranked,
    needs=Needs(reads=(_LATENTS,)),
    controls=(Choice(name="trained", options_from=_trainings, label="trained on by"),),
)
