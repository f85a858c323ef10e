"""A control of a view as a card's menu, field or box shows it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from miscope.figures.controls import Value, bounds, options
from miscope.view import EVENT_MARKS, STEP_SCALE, Choice, Control, Number, View, ViewData
from miscope_panel.shown.option_words import option_words

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

__all__ = ["controls_of", "described"]

_OF_STEPS = (STEP_SCALE, EVENT_MARKS)
"""Controls that turn an axis which counts steps."""


def controls_of(view: View, drawn: Figure) -> tuple[Control, ...]:
    """The controls of a view, but for those of a time axis where this drawing of it has none."""
    layout: Any = drawn.layout
    return tuple(c for c in view.all_controls if layout.meta["miscope"]["time_axes"] or c not in _OF_STEPS)


def described(control: Control, shown: ViewData, value: Value) -> dict[str, Any]:
    """What the browser needs of it: its kind, its value and what it can be, for what is shown."""
    known = {"name": control.name, "label": control.label or control.name.replace("_", " "), "value": value}
    if isinstance(control, Choice):
        names = list(options(control, shown))
        return {**known, "kind": "choice", "options": names, **option_words(names)}
    if isinstance(control, Number):
        least, greatest = bounds(control, shown)
        maximum = greatest if math.isfinite(greatest) else None
        return {**known, "kind": "number", "minimum": least, "maximum": maximum, "whole": control.whole}
    return {**known, "kind": "toggle"}
