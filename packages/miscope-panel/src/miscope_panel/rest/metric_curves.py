"""Metrics as they are answered: those between two steps, thinned out where fewer points are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from fastapi import Query

from miscope.snapshot import Series
from miscope_panel.rest.training_answers import Curve
from miscope_panel.shown.thinning import FEWEST, thinned

__all__ = ["FirstStep", "LastStep", "MetricNames", "MostPoints", "curves"]

_LAST = 10**18 - 1
_MOST_POINTS = 10_000

MetricNames = Annotated[list[str] | None, Query(description="Names, or patterns such as *_loss; repeatable.")]
FirstStep = Annotated[int | None, Query(ge=0, le=_LAST, description="Only from this step on.")]
LastStep = Annotated[int | None, Query(ge=0, le=_LAST, description="Only to this step.")]
MostPoints = Annotated[int | None, Query(ge=FEWEST, le=_MOST_POINTS, description="Of each metric.")]


def curves(found: Mapping[str, Series], start: int | None, end: int | None, most: int | None) -> dict[str, Curve]:
    """Each metric from one step to another, both included, and of at most so many points; None: all."""
    return {name: _curve(_between(series, start, end), most) for name, series in found.items()}


def _between(series: Series, start: int | None, end: int | None) -> Series:
    low = 0 if start is None else np.searchsorted(series.steps, start, side="left")
    high = None if end is None else np.searchsorted(series.steps, end, side="right")
    return Series(steps=series.steps[low:high], values=series.values[low:high])


def _curve(series: Series, most: int | None) -> Curve:
    shown = series if most is None else thinned(series, most)
    return Curve(steps=shown.steps.tolist(), values=shown.values.tolist(), points=len(series.steps))
