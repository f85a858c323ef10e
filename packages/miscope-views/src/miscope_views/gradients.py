"""What the gradient of the training loss pulls at, over training and before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import Choice, Grain, Needs, Toggle, View, ViewData
from miscope.errors import DoesNotApply
from miscope.figures.figure_style import NULL, OKABE_ITO, colour_of
from miscope.maths.mean_interval import mean_interval
from miscope_views.figures import figure, line, title
from miscope_views.named_arrays import first_row, holders, unit_of
from miscope_views.spectrum_figures import over_training

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_READS = "gradients.energy"
_DASHES = ("solid", "dash", "dot", "dashdot")
_STRONG = 6


def energy(shown: ViewData, *, relative: bool) -> Figure:
    """Energy of the training gradient of every weight tensor and of all together, over training."""
    arrays = shown.artifacts[_READS]
    steps, quantity = arrays["step"], "share" if relative else "energy"
    traces = []
    for i, role in enumerate(role for role in holders(arrays, quantity) if role != "total"):
        turn, place = divmod(i, len(OKABE_ITO) - 1)
        hover = f"{role}: %{{y:.3g}} at {shown.step_label} %{{x:,}}<extra></extra>"
        look = {"dash": _DASHES[turn % len(_DASHES)]}
        traces.append(line(steps, arrays[f"{role}/{quantity}"], role, OKABE_ITO[place], line=look, hovertemplate=hover))
    if not relative:
        traces.append(line(steps, arrays["total/energy"], "total", OKABE_ITO[-1], line={"width": 2.6}))
    # Of a training that diverged the energy is no number either: that is no gap.
    none = steps[arrays["total/energy"] == 0] if relative else steps[:0]
    gaps = sum(int((np.isnan(trace["y"]) & np.isin(trace["x"], none)).sum()) for trace in traces)
    unit = "share of the energy" if relative else "|dL/dW|² (nats² per weight²)"
    layout: dict[str, Any] = {
        "title": title(shown, "Energy of the training gradient", "gaps: no gradient has no shares" if gaps else ""),
        "yaxis": {"title": {"text": unit}, "type": "linear" if relative else "log", "exponentformat": "power"},
        "showlegend": True,
    }
    return figure(traces, layout, gaps=gaps)


def spectrum(shown: ViewData, *, product: str) -> Figure:
    """Share of the gradient's energy in every component of the task basis, over training."""
    if not product:
        reason = "the family gives no basis over an axis of its weights, so gradients have no spectrum"
        raise DoesNotApply(reason)
    drawn = over_training(shown, _READS, role=product)
    return drawn.update_layout(title_text=f"Gradient of {product} over training")


def initialisation(shown: ViewData, *, product: str) -> Figure:
    """Share of the gradient's energy by component before training: mean over variants, and what isotropic ones have."""
    first = [each for member in shown.members if (each := member.shown.artifacts[_READS])["step"][0] == 0]
    if not product:
        reason = "no variant has a basis over an axis of its weights, so gradients have no spectrum"
        raise DoesNotApply(reason)
    held = [arrays for arrays in first if f"{product}/fraction" in arrays]
    if not held:
        reason = f"no variant has a gradient of {product} at step 0; a record that begins later holds none from before"
        raise DoesNotApply(reason)
    labels = first_row(held[0][f"{product}/label"])
    same = [arrays for arrays in held if first_row(arrays[f"{product}/label"]).tolist() == labels.tolist()]
    shares = np.stack([arrays[f"{product}/fraction"][0] for arrays in same])
    mean = shares.mean(axis=0)
    expected, high = (same[0][f"{product}/{name}"][0] for name in ("expected", "high"))
    strong = np.argsort(-mean, kind="stable")[:_STRONG]
    colours = [colour_of(str(label)) if i in strong else NULL for i, label in enumerate(labels)]
    unit = unit_of(shown.members[0].shown, same[0], product)
    bars = {
        "type": "bar",
        "x": labels.tolist(),
        "y": mean,
        "error_y": _whiskers(shares),
        "marker": {"color": colours},
        "hovertemplate": f"{unit} %{{x}}: %{{y:.4f}}<extra></extra>",
        "showlegend": False,
    }
    dashed = {"type": "scatter", "mode": "lines", "x": labels.tolist(), "hoverinfo": "skip"}
    grey = {"color": NULL, "width": 1.5}
    level = {**dashed, "y": expected, "name": "isotropic", "line": {**grey, "dash": "dash"}}
    edge = {**dashed, "y": high, "name": "isotropic, 97.5 %", "line": {**grey, "dash": "dot"}}
    note = f"{len(shares)} of {len(shown.members)} variants at step 0; whiskers: 95 % of the mean, of three or more"
    ticks = labels[np.sort(strong)].tolist()
    layout: dict[str, Any] = {
        "title": title(shown, f"Gradient of {product} before training", note),
        "xaxis": {"title": {"text": unit}, "type": "category", "tickvals": ticks, "showgrid": False},
        "yaxis": {"title": {"text": "share of energy"}, "rangemode": "tozero"},
        "legend": {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "top"},
        "showlegend": True,
    }
    return figure([bars, level, edge], layout)


def _whiskers(shares: np.ndarray) -> dict[str, Any]:
    _, low, high = mean_interval(shares, "share")
    mean = shares.mean(axis=0)
    above, below = (np.nan_to_num(np.maximum(reach, 0)) for reach in (high - mean, mean - low))
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "thickness": 1, "width": 2}


def _products(shown: ViewData) -> tuple[str, ...]:
    """Gradients that any member has a spectrum of; '' where none has."""
    members = [member.shown for member in shown.members] or [shown]
    products = dict.fromkeys(name for one in members for name in holders(one.artifacts[_READS], "fraction"))
    return tuple(products) or ("",)


_PRODUCT = Choice(name="product", options_from=_products, label="gradient of")

VIEWS = (
    View(
        name=_READS,
        title="Energy of the training gradient",
        grain=Grain.TRAJECTORY,
        draw=energy,
        needs=Needs(reads=(_READS,)),
        controls=(Toggle(name="relative", label="share of all"),),
        time_axis="x",
    ),
    View(
        name="gradients.spectrum",
        title="Spectrum of the training gradient",
        synonyms=("Fourier", "gradient frequencies"),
        grain=Grain.TRAJECTORY,
        draw=spectrum,
        needs=Needs(reads=(_READS,), bases=("*",)),
        controls=(_PRODUCT,),
        time_axis="x",
    ),
    View(
        name="gradients.initialisation",
        title="Gradient spectrum before training",
        grain=Grain.COHORT,
        draw=initialisation,
        needs=Needs(reads=(_READS,), bases=("*",)),
        controls=(_PRODUCT,),
    ),
)
