"""Metrics as an instrument is shown them, and what stands for them in a recipe where there is no checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from miscope.snapshot import Series

if TYPE_CHECKING:
    from miscope.store.store import Store

__all__ = ["extent", "metrics_until"]


def metrics_until(store: Store, variant: str, steps: Sequence[int], patterns: Sequence[str]) -> dict[str, Series]:
    """Metrics up to the last of the steps: those recorded later are not part of what the recipe names.

    All of them where there are no steps: then it names their `extent`.
    """
    metrics = store.metrics(variant, patterns) if patterns else {}
    if not steps:
        return metrics
    last = steps[-1]
    return {
        name: replace(series, steps=series.steps[series.steps <= last], values=series.values[series.steps <= last])
        for name, series in metrics.items()
    }


def extent(store: Store, variant: str) -> tuple[int, ...]:
    """Length and last step of every metric, by name."""
    series = store.metrics(variant)
    return tuple(number for name in sorted(series) for number in (len(series[name].steps), int(series[name].steps[-1])))
