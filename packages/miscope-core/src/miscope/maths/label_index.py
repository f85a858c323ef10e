"""Where names stand among labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["label_index"]


def label_index(names: np.ndarray, labels: Sequence[str] | np.ndarray) -> np.ndarray:
    """Position of each name (...) among distinct labels (K,), one at least; -1 where it is none of them."""
    labels = np.asarray(labels)
    order = np.argsort(labels)
    at = np.searchsorted(labels[order], names).clip(max=len(labels) - 1)
    return np.where(labels[order][at] == names, order[at], -1)
