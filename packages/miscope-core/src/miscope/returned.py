"""What an instrument returned, as the arrays that can be stored."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from miscope.artifact import Arrays
from miscope.errors import BadValue

__all__ = ["returned_arrays"]


def returned_arrays(name: str, arrays: Arrays) -> dict[str, np.ndarray]:
    """The arrays, read-only, if they are arrays; a plain number becomes a 0-d one. BadValue for anything else."""
    if not isinstance(arrays, Mapping):
        raise BadValue(
            f"{name!r} returned {type(arrays).__name__}, not a mapping of names to arrays.",
            "An artifact is a mapping from array names to numpy arrays.",
            "Return a dict.",
        )
    found = {array: np.asarray(value).view() for array, value in arrays.items()}
    for array, value in found.items():
        # Those that read it are shown this very array.
        value.flags.writeable = False
        if value.dtype == object:
            raise BadValue(
                f"{name!r} returned Python objects under {array!r}.",
                "Only numbers and text can be stored without pickling; a list of arrays of unequal length cannot.",
                "Return one rectangular array, or a flat one with offsets.",
            )
    return found
