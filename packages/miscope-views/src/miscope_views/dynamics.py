"""The linear law of the weights' path: its eigenvalues, and how well it predicts the next checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Grain, Needs, Toggle, View, ViewData
from miscope.figures.figure_style import NULL, OKABE_ITO
from miscope_views.figures import figure, line, title
from miscope_views.named_arrays import choice_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "dynamics.modes"
_BAND = "rgba(154,154,154,0.25)"
_CHI = 5.991
"""95 % quantile of chi squared with two degrees of freedom."""


def modes(shown: ViewData, *, group: str, whole: bool) -> Figure:
    """Eigenvalues of the weights' linear law in the complex plane, with 95 % ellipses and the unit circle.

    Grey: imaginary parts that walks with the same step lengths reach, aimless, drifting or pulled.
    """
    arrays = shown.artifacts[_READS]
    values, covariance = arrays[f"{group}/eigenvalue"], arrays[f"{group}/covariance"]
    limit = max(float(arrays[f"{group}/{null}_imaginary"]) for null in ("null", "drift", "pull"))
    turn = np.linspace(0, 2 * np.pi, 181)
    circle = line(np.cos(turn), np.sin(turn), "unit circle", NULL, line={"dash": "dot"}, hoverinfo="skip")
    traces = [circle, *(_ellipse(value, spread) for value, spread in zip(values, covariance, strict=True))]
    amplitude = arrays[f"{group}/amplitude"]
    size = 8 + 14 * amplitude / max(float(amplitude.max()), np.finfo(float).tiny)
    oscillates = arrays[f"{group}/oscillates"]
    facts = np.stack([arrays[f"{group}/{what}"] for what in ("modulus", "period", "rate", "amplitude")], axis=1)
    unit = shown.step_label
    hover = (
        "λ = %{x:.4f} %{y:+.4f}i<br>|λ| = %{customdata[0]:.4f}<br>period %{customdata[1]:,.4g} " + unit + "s<br>"
        "rate %{customdata[2]:.3g} per " + unit + "<br>amplitude %{customdata[3]:.3g}<extra></extra>"
    )
    colours = [OKABE_ITO[1] if one else OKABE_ITO[0] for one in oscillates]
    dots = {"type": "scatter", "mode": "markers", "x": values[:, 0], "y": values[:, 1], "customdata": facts}
    traces.append({**dots, "marker": {"size": size, "color": colours}, "hovertemplate": hover, "name": "eigenvalues"})
    steps = arrays["at"]
    span = f"{len(steps)} checkpoints, {unit} {steps[0]:,.0f} to {steps[-1]:,.0f}"
    low, high, top = _window(values, limit, whole)
    band = {"type": "rect", "xref": "paper", "x0": 0, "x1": 1, "y0": -limit, "y1": limit, "layer": "below"}
    layout: dict[str, Any] = {
        "title": title(shown, f"Modes of the path: {group}", f"{arrays[f'{group}/verdict'][0]} · {span}"),
        "xaxis": {"title": {"text": "real part"}, "range": [low, high]},
        "yaxis": {"title": {"text": "imaginary part"}, "range": [-top, top], "scaleanchor": "x", "zeroline": True},
        "shapes": [{**band, "fillcolor": _BAND, "line": {"width": 0}}],
        "showlegend": False,
        "hovermode": "closest",
    }
    return figure(traces, layout)


def residual(shown: ViewData, *, group: str) -> Figure:
    """How far each checkpoint lies from where the linear law takes the one before, in lengths of the step; grey: walks.

    A peak is a change of regime; 1 is no better than predicting nothing but the same place.
    """
    arrays = shown.artifacts[_READS]
    steps, values = arrays["at"][1:], arrays[f"{group}/residual"]
    low, _, high = arrays[f"{group}/null_residual"]
    edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0, "color": NULL}, "hoverinfo": "skip"}
    below = {**edge, "y": low, "showlegend": False}
    above = {**edge, "y": high, "name": "random walks", "fill": "tonexty", "fillcolor": _BAND}
    hover = f"residual %{{y:.3f}} at {shown.step_label} %{{x:,}}<extra></extra>"
    curve = line(steps, values, group, OKABE_ITO[0], hovertemplate=hover, mode="lines+markers", marker={"size": 4})
    note = f"median {float(arrays[f'{group}/median_residual']):.3f} · grey: 95 % of random walks"
    # The walks' residual rises without bound where the steps of training end; the path's own fills the panel.
    top = 1.1 * max(1.0, float(np.nanmax(values)))
    layout = {
        "title": title(shown, f"Residual of the linear law: {group}", note),
        "yaxis": {"title": {"text": "|x − predicted| / |step|"}, "range": [0, top]},
        "showlegend": True,
    }
    return figure([below, above, curve], layout)


def _ellipse(centre: np.ndarray, covariance: np.ndarray) -> dict[str, Any]:
    """95 % of a Gaussian with this covariance."""
    turn = np.linspace(0, 2 * np.pi, 61)
    lengths, axes = np.linalg.eigh(covariance)
    around = axes @ (np.sqrt(_CHI * np.clip(lengths, 0, None))[:, None] * np.stack([np.cos(turn), np.sin(turn)]))
    look = {"hoverinfo": "skip", "line": {"width": 1}}
    return line(centre[0] + around[0], centre[1] + around[1], "95 %", OKABE_ITO[0], **look)


def _window(values: np.ndarray, limit: float, whole: bool) -> tuple[float, float, float]:
    """Least and greatest real part, and greatest imaginary part: the unit circle, or where the eigenvalues lie."""
    if whole:
        return -1.15, 1.15, 1.15
    top = 1.4 * max(limit, float(np.abs(values[:, 1]).max()), 0.02)
    return float(values[:, 0].min()) - top, max(1.0, float(values[:, 0].max())) + 0.3 * top, top


_GROUP = choice_of("group", _READS, "eigenvalue", default="all")

VIEWS = (
    View(
        name="dynamics.modes",
        title="Modes of the path",
        synonyms=("DMD", "dynamic mode decomposition", "Koopman"),
        grain=Grain.TRAJECTORY,
        draw=modes,
        needs=Needs(reads=(_READS,)),
        controls=(_GROUP, Toggle(name="whole", label="whole unit circle")),
    ),
    View(
        name="dynamics.residual",
        title="Residual of the linear law",
        grain=Grain.TRAJECTORY,
        draw=residual,
        needs=Needs(reads=(_READS,)),
        controls=(_GROUP,),
        time_axis="x",
    ),
)
