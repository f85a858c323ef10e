"""How a card stands on the board: kept in the address as its controls are, and no controls of its view."""

from __future__ import annotations

import math
from collections.abc import Mapping

from miscope.view import View

__all__ = ["LOOKS", "between_shown", "looks_among", "read_between", "without_looks"]

LOOKS = ("full-width", "zoomed-to")
"""'1' for a row of its own; the ranges of its axes, 'xaxis=0,500;yaxis=0,1'. No control has a hyphen in its name."""


def looks_among(turned: Mapping[str, str]) -> dict[str, str]:
    """Those of what is turned of a card that are its looks."""
    return {name: text for name, text in turned.items() if name in LOOKS}


def without_looks(turned: Mapping[str, str]) -> dict[str, str]:
    """The controls among what is turned of a card."""
    return {name: text for name, text in turned.items() if name not in LOOKS}


def between_shown(view: View, text: str) -> tuple[float, float] | None:
    """Of these steps, '100,5000', the view draws every record; None where it draws nothing that was recorded."""
    recorded = view.time_axis is not None and bool(view.needs.metrics)
    return read_between(text) if recorded else None


def read_between(text: str) -> tuple[float, float] | None:
    """The steps that axes over training show, of '100,5000'; None where it is no such range."""
    try:
        first, last = map(float, text.split(","))
    except ValueError:
        return None
    return (first, last) if first < last and math.isfinite(last - first) else None
