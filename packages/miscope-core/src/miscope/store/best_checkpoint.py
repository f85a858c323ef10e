"""Which checkpoint of a training is its best: found from what was recorded, a fact and no copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from miscope.snapshot import Series

__all__ = ["JUDGES", "BestCheckpoint", "best_checkpoint"]

JUDGES: Mapping[str, float] = {"test_accuracy": 1.0, "test_loss": -1.0, "train_loss": -1.0}
"""By which metric, the first that is recorded at a checkpoint, and whether more of it is better (1) or less (-1)."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BestCheckpoint:
    """A checkpoint that is better than every earlier one and no worse than any later one."""

    step: int
    metric: str
    """What it is best by."""
    value: float
    """Of that metric, there."""


def best_checkpoint(steps: Sequence[int], metrics: Mapping[str, Series]) -> BestCheckpoint | None:
    """The checkpoint with the largest test accuracy, else the least test loss, else the least training loss.

    steps: those with a checkpoint. Of equals the earliest. One at whose step the metric was not recorded, or is no
    number, is not considered. None where nothing was recorded at any.
    """
    for name, sign in JUDGES.items():
        series = metrics.get(name)
        if series is None:
            continue
        kept = np.isin(series.steps, list(steps)) & np.isfinite(series.values)
        if kept.any():
            at = int(np.argmax(sign * series.values[kept]))
            return BestCheckpoint(step=int(series.steps[kept][at]), metric=name, value=float(series.values[kept][at]))
    return None
