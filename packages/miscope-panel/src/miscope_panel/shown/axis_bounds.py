"""Bounds on parallel axes as an address says them, in numbers and words: 'test_loss:..0.01,state:failed..running'."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Final
from urllib.parse import quote, unquote

from miscope_panel.shown.parallel import ParallelAxis

__all__ = ["Places", "read_bounds", "write_bounds"]

Places = Mapping[str, tuple[float, float]]
"""By axis from where to where it is bounded: 0 is its foot and 1 its top, where there is no bound."""

_DIGITS, _EXACT = 6, 12
"""Digits that are written, and those of which a place on an axis has no more than noise."""
_TO: Final = ".."


def write_bounds(axes: Iterable[ParallelAxis], bounds: Places) -> str:
    """The bounds of these axes as text; '' of none. Numbers have six digits, rounded away from what is within."""
    written = (_written(axis, *bounds[axis.name]) for axis in axes if axis.name in bounds)
    return ",".join(filter(None, written))


def read_bounds(axes: Iterable[ParallelAxis], text: str) -> dict[str, tuple[float, float]]:
    """Where such a text bounds these axes; what it says of others, and what cannot be read, bounds nothing."""
    named = {axis.name: axis for axis in axes}
    found: dict[str, tuple[float, float]] = {}
    for part in text.split(","):
        name, _, bounds = part.partition(":")
        low, to, high = bounds.partition(_TO)
        axis = named.get(unquote(name))
        if axis is not None and to:
            begin, end = _place(axis, unquote(low), 0.0), _place(axis, unquote(high), 1.0)
            if (begin, end) != (0.0, 1.0):
                found[axis.name] = (min(begin, end), max(begin, end))
    return found


def _written(axis: ParallelAxis, low: float, high: float) -> str:
    begin = "" if low <= 0 else _said(axis, low, ROUND_FLOOR)
    end = "" if high >= 1 else _said(axis, high, ROUND_CEILING)
    return f"{quote(axis.name, safe='/. ')}:{begin}{_TO}{end}" if begin or end else ""


def _said(axis: ParallelAxis, place: float, rounding: str) -> str:
    if axis.ends is None:
        return quote(_nearest(axis.marks, place), safe=" ")
    low, high = (math.log10(end) if axis.logarithmic else end for end in axis.ends)
    at = low + place * (high - low)
    exact = Context(prec=_EXACT).create_decimal(Decimal(10**at if axis.logarithmic else at))
    return f"{Context(prec=_DIGITS, rounding=rounding).create_decimal(exact).normalize()}"


def _nearest(marks: Sequence[tuple[float, str]], place: float) -> str:
    return min(marks, key=lambda mark: abs(mark[0] - place))[1]


def _place(axis: ParallelAxis, text: str, otherwise: float) -> float:
    if axis.ends is None:
        return next((place for place, word in axis.marks if word == text), otherwise)
    try:
        value = float(text)
    except ValueError:
        return otherwise
    low, high = axis.ends
    if not low < value < high:
        return 0.0 if value <= low else 1.0 if value >= high else otherwise
    begin, at, end = (math.log10(each) if axis.logarithmic else each for each in (low, value, high))
    return (at - begin) / (end - begin)
