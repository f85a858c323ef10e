"""What an analyzer leaves behind: named arrays under a key that says exactly what they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np

__all__ = ["Arrays", "ArtifactKey", "NestedArrays", "as_written", "is_scalar", "scalars_of"]

Arrays = Mapping[str, np.ndarray]
"""Name -> array, as it is stored. A 0-d array is a scalar and becomes a row of the `scalars` table."""

NestedArrays: TypeAlias = "Mapping[str, np.ndarray | NestedArrays]"
"""What a `compute` returns: arrays by name, or by site and name: {'W_E': {'power': x}} is stored as 'W_E/power'."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactKey:
    """Names one artifact; two with the same key hold the same numbers."""

    variant: str
    """'modadd.transformer/p113-seed999-dseed598', or 'cohort/<digest>'."""
    analyzer: str
    recipe: str
    """Digest of everything the numbers depend on: analyzer, version, options, probe, variant, everything upstream."""
    probe: str
    """'grid@1f3a...': name and digest; '-' for an analyzer that looks at no probe."""
    step: int | None
    """None: spans the whole of training."""


def is_scalar(array: np.ndarray) -> bool:
    """Whether it is one real number or truth value."""
    return np.ndim(array) == 0 and np.asarray(array).dtype.kind in "biuf"


def scalars_of(arrays: Arrays) -> dict[str, float]:
    """The 0-d numbers as plain floats, NaN and infinities among them."""
    return {name: float(array) for name, array in arrays.items() if is_scalar(array)}


def as_written(scalars: Mapping[str, float]) -> dict[str, float | str]:
    """The scalars for a line of JSON, which knows no infinity: that is text there, and reads as the number again."""
    return {name: str(value) if math.isinf(value) else value for name, value in scalars.items()}
