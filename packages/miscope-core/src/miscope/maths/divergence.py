"""Where a loss that had been learnt came up again: divergences, from which training may recover or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from miscope.snapshot import Series

__all__ = ["FALLEN", "RISEN", "Divergence", "divergences", "undiverged"]

FALLEN = 0.1
"""Share of its first peak below which a loss has fallen, and has recovered."""
RISEN = 0.5
"""Share of that peak above which it has come up again."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """One of them."""

    start: int
    """Index of the first record above half of the first peak."""
    stop: int
    """Index of the first record after it below a tenth of that peak; the number of records where none is."""
    trough: float
    """Least loss between the one before, or the start, and this one."""


def divergences(loss: np.ndarray) -> tuple[Divergence, ...]:
    """Rises of a loss (n,) above half of its first peak, after it had fallen to a tenth of it.

    The first peak is the largest value before the first fall to a tenth, so that neither the fall from a large
    initialisation to chance nor the peak of overfitting after it is a divergence.
    """
    highest = np.maximum.accumulate(loss)
    fallen = np.flatnonzero(loss < FALLEN * highest)
    if not len(fallen):
        return ()
    at, peak = int(fallen[0]), float(highest[fallen[0]])
    high, low = np.flatnonzero(loss > RISEN * peak), np.flatnonzero(loss < FALLEN * peak)
    rises: list[Divergence] = []
    while (place := int(np.searchsorted(high, at))) < len(high):
        start = int(high[place])
        after = int(np.searchsorted(low, start))
        stop = int(low[after]) if after < len(low) else len(loss)
        rises.append(Divergence(start=start, stop=stop, trough=float(loss[at:start].min())))
        if stop == len(loss):
            break
        at = stop
    return tuple(rises)


def undiverged(series: Series) -> Series:
    """The records outside of the series' divergences."""
    kept = np.ones(len(series.steps), dtype=bool)
    for one in divergences(series.values):
        kept[one.start : one.stop] = False
    return Series(steps=series.steps[kept], values=series.values[kept])
