"""Curves of more records than are drawn: how many of them are, and all of those between two steps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from miscope.figures.axes import placed
from miscope.snapshot import Series

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.view import ViewData

__all__ = ["MOST_POINTS", "between_steps", "points_drawn"]

MOST_POINTS = 4000
"""Points of a curve beyond which a screen shows no more."""


def between_steps(shown: ViewData, ends: tuple[float, float]) -> ViewData:
    """The same with, of metrics of more than MOST_POINTS records, only those between the steps and as far beside.

    Of a metric that was not recorded between them at all it has every record.
    """
    members = tuple(replace(each, shown=between_steps(each.shown, ends)) for each in shown.members)
    return replace(shown, metrics=_cut(shown.metrics, ends), members=members)


def points_drawn(figure: Figure, axes: Collection[str], shown: ViewData) -> tuple[int, int] | None:
    """How many records the longest curve over these axes draws, and of how many; None where it draws all."""
    most = 0, 0
    recorded = [*shown.metrics.values(), *(one for each in shown.members for one in each.shown.metrics.values())]
    known = [series for series in recorded if len(series.steps) > MOST_POINTS]
    for each in placed(figure) if known else ():
        letter = "x" if each.x in axes else "y" if each.y in axes else None
        steps = None if letter is None else each.trace[letter]
        if isinstance(steps, np.ndarray) and steps.ndim == 1 and steps.dtype.kind in "iuf" and len(steps) > 1:
            most = max(
                most, *((len(steps), len(of.steps)) for of in known if _thinned(steps, of)), key=lambda one: one[1]
            )
    return most if most[0] < most[1] else None


def _thinned(steps: np.ndarray, series: Series) -> bool:
    """Whether these are some of a curve's records, from its first to its last."""
    ends = np.array_equal(steps[[0, -1]], series.steps[[0, -1]])
    return bool(ends) and len(steps) > MOST_POINTS // 10 and bool(np.isin(steps, series.steps).all())


def _cut(metrics: Mapping[str, Series], ends: tuple[float, float]) -> Mapping[str, Series]:
    return {
        name: _part(series, ends) if len(series.steps) > MOST_POINTS and _meets(series, ends) else series
        for name, series in metrics.items()
    }


def _meets(series: Series, ends: tuple[float, float]) -> bool:
    return bool(series.steps[0] <= ends[1] and series.steps[-1] >= ends[0])


def _part(series: Series, ends: tuple[float, float]) -> Series:
    """The records that near, and one more on each side, so that a curve leaves the picture."""
    width = ends[1] - ends[0]
    first = np.searchsorted(series.steps, ends[0] - width)
    last = np.searchsorted(series.steps, ends[1] + width, side="right")
    part = slice(max(int(first) - 1, 0), int(last) + 1)
    return Series(steps=series.steps[part], values=series.values[part])
