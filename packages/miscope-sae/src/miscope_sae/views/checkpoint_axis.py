"""The axis of figures of births: checkpoints of what a crosscoder is built on, at equal distances."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

__all__ = ["between", "checkpoint_axis"]

_BETWEEN = 0.5
"""What happens from one checkpoint to the next is drawn at the middle between them."""
_MOST_TICKS = 12


def checkpoint_axis(at: np.ndarray) -> dict[str, Any]:
    """Ticks with the steps of (T,) checkpoints at 0, 1, 2 and on."""
    shown = np.arange(0, len(at), -(-len(at) // _MOST_TICKS))
    return {
        "tickvals": shown,
        "ticktext": [f"{int(step):,}" for step in at[shown]],
        "range": [-0.3, len(at) - 0.7],
        "title": {"text": "step of what it is built on (checkpoints at equal distances)"},
    }


def between(at: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """(T - 1,) places on it of what happens after each checkpoint but the last and until the next, and in words."""
    words = [f"after {int(one):,}, by {int(other):,}" for one, other in pairwise(at)]
    return np.arange(1, len(at)) - _BETWEEN, words
