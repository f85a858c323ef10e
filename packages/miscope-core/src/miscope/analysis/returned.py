"""What an instrument returned, as the arrays that can be stored."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from miscope.artifact import Arrays
from miscope.errors import BadValue

__all__ = ["returned_arrays"]

_NAME = re.compile(r"[^\x00-\x1f\x7f\\]{1,120}")


def returned_arrays(name: str, arrays: Arrays, *, stacked: bool = False) -> dict[str, np.ndarray]:
    """The arrays, read-only, if they are arrays; a plain number becomes a 0-d one. BadValue for anything else.

    stacked: whether they will be stacked over the checkpoints, with the steps of those under 'step'.
    """
    if not isinstance(arrays, Mapping):
        raise BadValue(
            f"{name!r} returned {type(arrays).__name__}, not a mapping of names to arrays.",
            "An artifact is a mapping from array names to numpy arrays.",
            "Return a dict.",
        )
    for array in arrays:
        if not isinstance(array, str) or not _NAME.fullmatch(array) or ".." in array or (stacked and array == "step"):
            raise BadValue(
                f"{name!r} returned an array called {array!r:.80}.",
                "A name is 1 to 120 printable characters, no backslash or '..'; at a checkpoint 'step' is its own.",
                "Choose another.",
            )
    checked = {array: _as_array(name, array, value) for array, value in arrays.items()}
    for value in checked.values():
        # Those that read it are shown this very array.
        value.flags.writeable = False
    return checked


def _as_array(name: str, array: str, value: object) -> np.ndarray:
    try:
        converted = np.asarray(value).view()
        if converted.dtype != object:
            return converted
    except (ValueError, TypeError, RuntimeError):
        pass
    raise BadValue(
        f"{name!r} returned under {array!r} what is no array: {type(value).__name__}.",
        "Only numbers and text can be stored without pickling; a list of arrays of unequal length cannot, nor can "
        "tensors in bfloat16 or with a gradient.",
        "Return one rectangular array, or a flat one with offsets; of a tensor  tensor.detach().float().numpy().",
    )
