"""What an analyzer leaves behind: named arrays under a key that says exactly what they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["Arrays", "ArtifactKey", "scalars_of"]

Arrays = Mapping[str, np.ndarray]
"""What a `compute` returns: name -> array. A 0-d array is a scalar and becomes a row of the `scalars` table."""


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


def scalars_of(arrays: Arrays) -> dict[str, float]:
    """The 0-d outputs as plain floats; what is not finite is left out, since no query can compare it."""
    return {name: float(a) for name, a in arrays.items() if np.ndim(a) == 0 and np.isfinite(a)}
