"""How spectra are drawn: bars at a checkpoint, lines and a heat map over training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from miscope import ViewData
from miscope.figures.figure_style import NULL, colour_of
from miscope_views.figures import figure, line, title
from miscope_views.named_arrays import apart, basis_note, dominant, first_row, null_of, ticked, unit_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["bars", "lines", "over_training"]

_SHARE = "share of power"


def bars(shown: ViewData, reads: str, *, role: str, locked: bool) -> Figure:
    """Share of a weight tensor's power in each component of the task basis, the dominant ones named and coloured."""
    arrays, over_time = shown.artifacts[reads], shown.history[reads][f"{role}/fraction"]
    share, labels = arrays[f"{role}/fraction"], arrays[f"{role}/label"]
    null = null_of(shown.history[reads]["step"], over_time)
    strong = dominant(share, null)
    colours = [colour_of(str(label)) if i in strong else NULL for i, label in enumerate(labels)]
    unit = unit_of(shown, arrays, role)
    # At one scale the axis names the same components at every step, too.
    named = dominant(over_time, null) if locked else strong
    ticks = ticked(labels, named if len(named) else np.arange(0, len(labels), max(1, len(labels) // 8)))
    layout: dict[str, Any] = {
        "title": title(shown, f"Spectrum of {role}", basis_note(arrays, role)),
        "xaxis": {"title": {"text": unit}, "type": "category", "tickvals": ticks, "showgrid": False},
        "yaxis": {"title": {"text": _SHARE}, "rangemode": "tozero"},
        "bargap": 0.25,
        "shapes": [] if null is None else [_level(null, f"largest at {shown.step_label} 0")],
    }
    trace = {
        "type": "bar",
        "x": labels.tolist(),
        "y": share,
        "marker": {"color": colours},
        "hovertemplate": f"{unit}: %{{x}}<br>{_SHARE} %{{y:.4f}}<extra></extra>",
    }
    if not locked:
        return figure([trace], layout)
    layout["yaxis"]["range"] = [0, 1.05 * float(over_time.max())]
    layout["barmode"] = "overlay"
    layout["showlegend"] = True
    return figure([_outlines(labels.tolist(), over_time.max(axis=0)), {**trace, "showlegend": False}], layout)


def _outlines(labels: list[str], largest: np.ndarray) -> dict[str, Any]:
    """Where bars are small beside the largest of all steps, the picture still says what they come from or grow to."""
    return {
        "type": "bar",
        "x": labels,
        "y": largest,
        "name": "largest of all steps",
        "marker": {"color": "rgba(0,0,0,0)", "line": {"color": NULL, "width": 1}},
        "hoverinfo": "skip",
    }


def lines(shown: ViewData, reads: str, *, role: str) -> Figure:
    """Share of the dominant components over training, each in its own colour, above a band that holds the others."""
    arrays = shown.artifacts[reads]
    share, labels = arrays[f"{role}/fraction"], first_row(arrays[f"{role}/label"])
    steps = arrays["step"]
    strong = dominant(share, null_of(steps, share))
    others = np.delete(share, strong, axis=1) if len(strong) < share.shape[1] else share
    traces = [*_band(steps, others, shown), *(_component(steps, share, labels, k, shown) for k in strong)]
    layout = {
        "title": title(shown, f"Dominant components of {role}", basis_note(arrays, role)),
        "yaxis": {"title": {"text": _SHARE}, "rangemode": "tozero"},
        "legend": {"title": {"text": unit_of(shown, arrays, role)}},
        "showlegend": True,
    }
    return figure(traces, layout)


def over_training(shown: ViewData, reads: str, *, role: str) -> Figure:
    """Share of every component over training; those that dominate at the end are ticked."""
    arrays = shown.artifacts[reads]
    share, labels = arrays[f"{role}/fraction"], first_row(arrays[f"{role}/label"])
    strong = apart(dominant(share[-1], null_of(arrays["step"], share)), len(labels))
    steps = arrays["step"]
    unit = unit_of(shown, arrays, role)
    heat = {
        "type": "heatmap",
        "x": steps,
        "y": labels.tolist(),
        "z": share.T,
        "coloraxis": "coloraxis",
        "hovertemplate": f"{unit}: %{{y}}<br>{shown.step_label} %{{x:,}}<br>{_SHARE} %{{z:.4f}}<extra></extra>",
    }
    layout = {
        "title": title(shown, f"Spectrum of {role} over training", basis_note(arrays, role)),
        "xaxis": {"showgrid": False},
        "yaxis": {"title": {"text": unit}, "type": "category", "tickvals": ticked(labels, strong), "showgrid": False},
        "coloraxis": {"cmin": 0, "cmax": float(share.max()) or 1.0, "colorbar": {"title": {"text": _SHARE}}},
    }
    return figure([heat], layout)


def _component(steps: np.ndarray, share: np.ndarray, labels: np.ndarray, k: int, shown: ViewData) -> dict[str, Any]:
    label = str(labels[k])
    hover = f"{label}: %{{y:.4f}} at {shown.step_label} %{{x:,}}<extra></extra>"
    return line(steps, share[:, k], label, colour_of(label), hovertemplate=hover)


def _band(steps: np.ndarray, others: np.ndarray, shown: ViewData) -> list[dict[str, Any]]:
    """Where the components that do not stand out lie: from the least to the greatest."""
    edge = {"type": "scatter", "mode": "lines", "x": steps, "line": {"width": 0, "color": NULL}}
    below = {**edge, "y": others.min(axis=1), "showlegend": False, "hoverinfo": "skip"}
    hover = f"greatest of all others: %{{y:.4f}} at {shown.step_label} %{{x:,}}<extra></extra>"
    above = {**edge, "y": others.max(axis=1), "name": "up to the greatest of all others", "hovertemplate": hover}
    return [below, {**above, "fill": "tonexty", "fillcolor": "rgba(154,154,154,0.3)"}]


def _level(height: float, text: str) -> dict[str, Any]:
    label = {"text": text, "textposition": "end", "yanchor": "bottom"}
    place = {"xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height}
    return {"type": "line", **place, "line": {"color": NULL, "width": 1, "dash": "dash"}, "label": label}
