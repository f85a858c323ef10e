"""The learning rate beside what was recorded: known from the configuration, so that no training need record it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from miscope.snapshot import Series
from miscope.variant import Variant

__all__ = ["recorded_rate"]


def recorded_rate(variant: Variant, recorded: Mapping[str, Series]) -> dict[str, Series]:
    """'learning_rate': that of the update which follows each recorded step; nothing of what was not trained here."""
    if variant.training is None or not recorded or "learning_rate" in recorded:
        return {}
    steps = np.unique(np.concatenate([one.steps for one in recorded.values()]))
    values = np.array([variant.training.rate_at(int(step)) for step in steps])
    return {"learning_rate": Series(steps=steps, values=values)}
