"""Arrays that several readers are shown, so that none of them can write into them."""

from __future__ import annotations

import numpy as np

__all__ = ["read_only"]


def read_only(array: np.ndarray) -> np.ndarray:
    """A view that nobody can make writable again, since the array that owns the memory no longer is."""
    owner = array
    while isinstance(owner, np.ndarray):
        owner.flags.writeable = False
        if owner.base is None:
            break
        owner = owner.base
    return array.view()
