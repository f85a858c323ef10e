"""Time axes of several variants laid over each other: by step, by fraction of training, or since an event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope_views.definitions import defined

if TYPE_CHECKING:
    from miscope import ViewData
    from miscope.snapshot import Series

__all__ = ["aligned", "alignments", "left_out", "of_alignment"]

_PLAIN = ("step", "fraction")


def aligned(series: Series, shown: ViewData, align: str) -> np.ndarray:
    """Where the steps of one variant's series stand on the shared axis."""
    if align == "fraction":
        return series.steps / max(int(series.steps[-1]), 1)
    return series.steps if align == "step" else series.steps - shown.events[align]


def alignments(shown: ViewData) -> Sequence[str]:
    """What the members can be aligned by."""
    return *_PLAIN, *sorted({event for member in shown.members for event in member.shown.events})


def left_out(shown: ViewData, align: str) -> list[str]:
    """Labels of the members that the event did not happen to."""
    return [member.label for member in shown.members if align not in _PLAIN and align not in member.shown.events]


def of_alignment(shown: ViewData, align: str) -> dict[str, Any]:
    """The layout of the axis, with a line at the event."""
    since = f"{shown.step_label}s since {defined(shown, align)}"
    layout: dict[str, Any] = {
        "xaxis": {"title": {"text": {"step": shown.step_label, "fraction": "fraction of training"}.get(align, since)}}
    }
    if align not in _PLAIN:
        start = {"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper", "line": {"dash": "dot"}}
        layout["shapes"] = [start]
    return layout
