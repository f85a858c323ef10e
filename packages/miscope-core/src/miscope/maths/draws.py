"""Random numbers of an instrument's own: the same whatever else is computed, and others at every checkpoint."""

from __future__ import annotations

import numpy as np

__all__ = ["random_of"]


def random_of(name: str, *, seed: int, step: int) -> np.random.Generator:
    """The generator of an instrument of this name at a step."""
    return np.random.default_rng([seed, step, *name.encode()])
