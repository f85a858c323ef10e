"""The losses of what crosscoders are built on, below a figure of births, over the same axis, with its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.figures.event_marks import event_marks
from miscope.figures.figure_style import TEST, TRAIN
from miscope.figures.frame import line
from miscope_sae.views.frame import positive

if TYPE_CHECKING:
    from miscope import ViewData

__all__ = ["LOSSES", "above_losses", "marks_of"]

LOSSES = {"train_loss": ("source's train loss", TRAIN), "test_loss": ("source's test loss", TEST)}
_ABOVE, _BELOW = [0.36, 1], [0, 0.26]


def _places_of(steps: np.ndarray | Sequence[float], at: np.ndarray) -> np.ndarray:
    """Where steps of the source lie on an axis on which (T,) checkpoints are at 0, 1, 2 and on; NaN beyond these."""
    return np.interp(np.asarray(steps, dtype=np.float64), at, np.arange(len(at)), left=np.nan, right=np.nan)


def above_losses(
    source: ViewData | None, at: np.ndarray, traces: list[dict[str, Any]], layout: dict[str, Any], *, events: bool
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """These traces and this layout, whose x axis counts (T,) checkpoints, above the losses of their source.

    As they are where it has none that lie between those checkpoints. events: whether its events are marked.
    """
    below = [] if source is None else _curves(source, at)
    if source is None or not below:
        return traces, layout
    marks = marks_of(source, at) if events else []
    panels = {
        "xaxis": {**layout["xaxis"], "anchor": "y2"},
        "yaxis": {**layout["yaxis"], "domain": _ABOVE},
        "yaxis2": {"title": {"text": "loss"}, "type": "log", "nticks": 4, "domain": _BELOW, "exponentformat": "e"},
    }
    return [*traces, *below], {**layout, **panels, "shapes": marks}


def _curves(source: ViewData, at: np.ndarray) -> list[dict[str, Any]]:
    curves = []
    for name, (words, colour) in LOSSES.items():
        if name not in source.metrics:
            continue
        series = source.metrics[name]
        place = _places_of(series.steps, at)
        inside = np.isfinite(place)
        if not inside.any():
            continue
        hover = f"{words} at %{{customdata:,}}: %{{y:.3g}}<extra></extra>"
        curves.append(
            line(
                *(place[inside], positive(series.values[inside]), words, colour),
                **{"yaxis": "y2", "customdata": series.steps[inside], "hovertemplate": hover},
            )
        )
    return curves


def marks_of(source: ViewData, at: np.ndarray) -> list[dict[str, Any]]:
    """Labelled lines at the events of the source's training that lie between the checkpoints."""
    marks = event_marks(source)
    places = _places_of([mark["x0"] for mark in marks], at).tolist()
    return [{**mark, "x0": place, "x1": place} for mark, place in zip(marks, places, strict=True) if np.isfinite(place)]
