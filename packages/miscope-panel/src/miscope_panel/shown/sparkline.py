"""Curves as small as a cell of a table, as SVG: on common axes, so that one row can be held against another."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import final

from miscope.tabulating.cell_text import written
from miscope.tabulating.curves import Curve

__all__ = ["Axes", "sparkline"]

_WIDE, _HIGH, _EDGE = 100, 24, 2
_DECADES = 1.0
"""Where positive values span more, their axis is logarithmic."""


@final
@dataclass(frozen=True, kw_only=True)
class Axes:
    """What the edges of a small figure stand for."""

    steps: tuple[float, float]
    values: tuple[float, float]
    logarithmic: bool

    @classmethod
    def around(cls, curves: Iterable[Curve]) -> Axes | None:
        """Those that hold all of these; None where there is no point."""
        points = [point for curve in curves for point in curve]
        if not points:
            return None
        steps, values = ([point[axis] for point in points] for axis in (0, 1))
        low, high = min(values), max(values)
        logarithmic = low > 0 and math.log10(high / low) > _DECADES
        return cls(steps=(min(steps), max(steps)), values=(low, high), logarithmic=logarithmic)

    def place(self, step: float, value: float) -> tuple[float, float]:
        """Across from the left and down from the top."""
        first, last = self.steps
        low, high, at = (math.log10(v) if self.logarithmic else v for v in (*self.values, value))
        across = (step - first) / (last - first) if last > first else 0.5
        up = (at - low) / (high - low) if high > low else 0.5
        return _WIDE * across, _EDGE + (_HIGH - 2 * _EDGE) * (1 - up)


def sparkline(curves: Sequence[Curve], axes: Axes, name: str) -> str:
    """An image of these curves of a number of that name; '' where there are none."""
    there = [curve for curve in curves if curve]
    if not there:
        return ""
    said = escape(_said(there, axes, name))
    lines = "".join(f'<path d="{_path(curve, axes)}"/>' for curve in there)
    kind = "curve" if len(there) == 1 else "curve several"
    return (
        f'<svg class="{kind}" role="img" aria-label="{said}" viewBox="0 0 {_WIDE} {_HIGH}" preserveAspectRatio="none">'
        f"<title>{said}</title>{lines}</svg>"
    )


def _path(curve: Curve, axes: Axes) -> str:
    places = [axes.place(*point) for point in curve]
    # A line to where it is already shows a single point.
    return "M" + "L".join(f"{x:.4g} {y:.4g}" for x, y in (*places, places[-1]))


def _said(curves: Sequence[Curve], axes: Axes, name: str) -> str:
    first, last = (end(curve[place][0] for curve in curves) for end, place in ((min, 0), (max, -1)))
    scale = ", logarithmic" if axes.logarithmic else ""
    if len(curves) > 1:
        return f"{name} of {len(curves)} variants, {first:,.0f} to {last:,.0f}{scale}"
    begin, end = (written(float(curves[0][place][1])) for place in (0, -1))
    return f"{name} from {begin} at {first:,.0f} to {end} at {last:,.0f}{scale}"
