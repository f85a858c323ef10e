"""Curves that were recorded, smoothed: the running median of all records, with what was recorded faint behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from miscope.snapshot import Series

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from miscope.view import ViewData

__all__ = ["laid_over", "running_median", "smoothed"]

_FAINT = 0.25


def running_median(values: np.ndarray, records: int) -> np.ndarray:
    """Of each value the median of those around it, as many on either side; towards an end of fewer.

    values: (n,). It is the same on a logarithmic axis, rounds off no sharp fall, and leaves out what is shorter than
    half of the records. What is not finite stays, and counts for nothing.
    """
    from scipy.ndimage import median_filter

    finite = np.isfinite(values)
    if not finite.all():
        made = values.copy()
        made[finite] = running_median(values[finite], records)
        return made
    half = min(records // 2, (len(values) - 1) // 2)
    if half < 1:
        return values
    made = median_filter(values, size=2 * half + 1, mode="nearest")
    for i in range(half):
        made[i], made[-1 - i] = np.median(values[: 2 * i + 1]), np.median(values[len(values) - 2 * i - 1 :])
    return made


def smoothed(shown: ViewData, records: int) -> ViewData:
    """The same with the running median of each metric."""
    members = tuple(replace(each, shown=smoothed(each.shown, records)) for each in shown.members)
    return replace(shown, metrics=_smoothed(shown.metrics, records), members=members)


def _smoothed(metrics: Mapping[str, Series], records: int) -> Mapping[str, Series]:
    return {
        name: Series(steps=series.steps, values=running_median(series.values, records))
        for name, series in metrics.items()
    }


def laid_over(recorded: Figure, smooth: Figure) -> Figure:
    """The recorded figure with its curves faint behind those that smoothing changed; as it is where none is."""
    raws: Any = recorded.data
    evens: Any = smooth.data
    pairs = list(zip(raws, evens, strict=False))
    if len(raws) != len(evens) or not any(_differ(*pair) for pair in pairs):
        return recorded
    over: list[Any] = []
    for raw, even in pairs:
        if _differ(raw, even):
            over.append(even)
            raw.update(name=f"{raw.name}, as recorded" if raw.name else "as recorded", showlegend=False)
            raw.update(opacity=_FAINT, hoverinfo="skip", hovertemplate=None)
    return type(recorded)(data=[*raws, *over], layout=recorded.layout)


def _differ(raw: Any, even: Any) -> bool:
    """Whether the same curve has other values."""
    if "lines" not in str(raw.mode if "mode" in raw else "") or raw.type != even.type:
        return False
    before, after = np.asarray(raw.y), np.asarray(even.y)
    return before.shape != after.shape or not np.array_equal(before, after, equal_nan=before.dtype.kind == "f")
