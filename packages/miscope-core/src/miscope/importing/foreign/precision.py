"""In which precision foreign losses were computed, by the numbers they are."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np

__all__ = ["in_single_precision"]

_ENOUGH = 10
"""Different losses that speak for themselves; the few of a checkpoint may be round by chance, or zero."""


def in_single_precision(files: Sequence[tuple[Path, Iterable[float]]]) -> list[bool]:
    """Of each file, whether its losses were computed in float32: every one of them is such a number.

    files: paths and their training losses. The files of a folder with few losses are judged together, those without
    any like the others, since they are of one run.
    """
    values = [{loss for loss in losses if loss and math.isfinite(loss)} for _, losses in files]
    pooled: dict[Path, set[float]] = {}
    for (path, _), own in zip(files, values, strict=True):
        if len(own) < _ENOUGH:
            pooled.setdefault(path.parent, set()).update(own)
    return [
        _single(own if len(own) >= _ENOUGH else pooled[path.parent])
        for (path, _), own in zip(files, values, strict=True)
    ]


def _single(losses: Collection[float]) -> bool:
    values = np.array(sorted(losses))
    with np.errstate(over="ignore"):
        return bool(len(values)) and np.array_equal(values, values.astype(np.float32))
