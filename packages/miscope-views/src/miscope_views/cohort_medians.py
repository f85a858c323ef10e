"""Medians over variants that were not all recorded for as long."""

from __future__ import annotations

from typing import Any

import numpy as np

from miscope.figures.figure_style import OKABE_ITO
from miscope_views.figures import line

__all__ = ["medians"]

_HOVER = "median of %{customdata} variants: %{y:.4g} at %{x:,.0f}<extra></extra>"


def medians(time: np.ndarray, median: np.ndarray, count: np.ndarray) -> list[dict[str, Any]]:
    """The median of all variants and, dashed, of fewer: apart wherever one ends or begins, since it may jump there.

    count: of the variants that each median is of.
    """
    change = np.flatnonzero(np.diff(count)) + 1
    x, y = np.insert(time.astype(np.float64), change, time[change]), np.insert(median, change, np.nan)
    of = np.insert(count, change, count[change])
    traces = []
    for name, chosen, dash in (("median", of == count.max(), "solid"), ("median of fewer", of < count.max(), "dash")):
        if chosen.any():
            look = {"line": {"width": 2.6, "dash": dash}, "hovertemplate": _HOVER, "customdata": of}
            traces.append(line(x, np.where(chosen, y, np.nan), name, OKABE_ITO[0], **look))
    return traces
