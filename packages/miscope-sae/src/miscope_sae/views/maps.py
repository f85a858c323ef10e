"""What latents respond to, over a grid of two factors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Number, View, ViewData
from miscope.figures.frame import figure
from miscope_sae.sites import LATENTS
from miscope_sae.views.frame import title

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LATENTS, _PURITY = "sae.latents", "sae.purity"
_ACROSS, _DOWN = 4, 3


def maps(shown: ViewData, *, by: str, first: int) -> Figure:
    """Activation of twelve latents for every pair of factor values, in one colour scale; the first factor goes down."""
    assert shown.probe is not None
    assert shown.activations is not None
    order = _order(shown, by)
    chosen = order[first : first + _ACROSS * _DOWN]
    values = shown.activations(LATENTS, chosen.tolist()).numpy().reshape(*shown.probe.shape, -1)
    row, column = shown.probe.grid
    traces, notes, layout = [], [], dict[str, Any]()
    for number, latent in enumerate(chosen):
        key = "" if number == 0 else str(number + 1)
        hover = f"latent {latent}<br>{row} %{{y}}, {column} %{{x}}: %{{z:.4g}}<extra></extra>"
        panel = {"type": "heatmap", "z": values[..., number], "xaxis": f"x{key}", "yaxis": f"y{key}"}
        traces.append(panel | {"coloraxis": "coloraxis", "hovertemplate": hover})
        axes, note = _place(number, key, _said(shown, by, int(latent)))
        layout |= axes
        notes.append(note)
    most = float(values.max(initial=0)) or 1.0
    last = f"{first + 1} to {first + len(chosen)} of {len(order)} by {by}"
    layout |= {
        "title": title(shown, f"Activation over {row} (down) and {column}", last),
        "coloraxis": {"cmin": 0, "cmax": most, "colorbar": {"title": {"text": "activation"}, "len": 0.7}},
        "annotations": notes,
    }
    return figure(traces, layout)


def _order(shown: ViewData, by: str) -> np.ndarray:
    """Latents with the largest first, those without a number last."""
    arrays = shown.artifacts[_LATENTS]
    if by == "density":
        return arrays["order"]
    values = arrays["max_active"] if by == "max" else shown.artifacts[_PURITY]["latents/h4"]
    return np.argsort(-np.nan_to_num(values, nan=-1.0), kind="stable")


def _said(shown: ViewData, by: str, latent: int) -> str:
    """'12 · 8.3 %', or the number it is ordered by."""
    arrays = shown.artifacts[_LATENTS]
    if by != "density" and not arrays["density"][latent] > 0:
        return f"{latent} · never"
    if by == "purity":
        found = shown.artifacts[_PURITY]
        label = str(found["latents/h4_label"][latent])
        which = f"frequency {label} · " if label and str(found["basis"][0]) == "fourier" else ""
        return f"{latent} · {which}{float(found['latents/h4'][latent]):.2f}"
    if by == "max":
        return f"{latent} · {float(arrays['max_active'][latent]):.3g}"
    return f"{latent} · {float(arrays['density'][latent]):.1%}"


def _place(number: int, key: str, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The axes of one panel, and the note above it."""
    down, across = divmod(number, _ACROSS)
    wide, high = 1 / _ACROSS, 1 / _DOWN
    x, y = [across * wide + 0.01, (across + 1) * wide - 0.01], [1 - (down + 1) * high + 0.01, 1 - down * high - 0.05]
    bare = {"showgrid": False, "showticklabels": False, "ticks": "", "showline": False, "constrain": "domain"}
    axes = {
        f"xaxis{key}": {**bare, "domain": x, "anchor": f"y{key}"},
        f"yaxis{key}": {**bare, "domain": y, "anchor": f"x{key}", "autorange": "reversed", "scaleanchor": f"x{key}"},
    }
    place = {"x": sum(x) / 2, "y": y[1], "xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "bottom"}
    return axes, {"text": text, "showarrow": False, **place}


def _orders(shown: ViewData) -> tuple[str, ...]:
    return ("density", "max", *(("purity",) if _PURITY in shown.artifacts else ()))


VIEWS = (
    View(
        name="sae.maps",
        title="Activation of latents over the grid",
        grain=Grain.CHECKPOINT,
        draw=maps,
        needs=Needs(reads=(_LATENTS,), optional=(_PURITY,), sites=(LATENTS,), grid=2),
        controls=(
            Choice(name="by", options_from=_orders, label="order"),
            Number(
                name="first",
                default=0,
                maximum_from=lambda shown: len(shown.artifacts[_LATENTS]["density"]) - 1,
                label="first shown",
            ),
        ),
    ),
)
