"""A control of a view as a card's menu, field or box shows it."""

from __future__ import annotations

import math
from typing import Any

from miscope.figures.controls import Value, bounds, options
from miscope.view import Choice, Control, Number, ViewData
from miscope_panel.shown.option_words import option_words

__all__ = ["described"]


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
