"""What an instrument returned, as the arrays that can be stored: flat, read-only, under names that are paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from miscope.artifact import NestedArrays
from miscope.errors import BadValue

__all__ = ["flattened", "returned_arrays"]

_NAME = re.compile(r"[^\x00-\x1f\x7f\\]{1,120}")


def returned_arrays(name: str, arrays: NestedArrays, *, stacked: bool = False) -> dict[str, np.ndarray]:
    """The arrays, flat and read-only, if they are arrays; a plain number becomes a 0-d one. BadValue for anything else.

    stacked: whether they will be stacked over the checkpoints, with the steps of those under 'step'.
    """
    if not isinstance(arrays, Mapping):
        raise BadValue(
            f"{name!r} returned {type(arrays).__name__}, not a mapping of names to arrays.",
            "An artifact is a mapping from array names to numpy arrays.",
            "Return a dict.",
        )
    flat = flattened(name, arrays)
    for array in flat:
        if not isinstance(array, str) or not _NAME.fullmatch(array) or ".." in array or (stacked and array == "step"):
            raise BadValue(
                f"{name!r} returned an array called {array!r:.80}.",
                "A name is 1 to 120 printable characters, no backslash or '..'; at a checkpoint 'step' is its own.",
                "Choose another.",
            )
    checked = {array: _as_array(name, array, value) for array, value in flat.items()}
    for value in checked.values():
        # Those that read it are shown this very array.
        value.flags.writeable = False
    return checked


def flattened(name: str, arrays: NestedArrays) -> dict[Any, Any]:
    """{'W_E': {'power': x}} as {'W_E/power': x}: keys joined by '/'; BadValue where two arrays get one name."""
    flat: dict[Any, Any] = {}
    for array, value in _leaves(arrays):
        if array in flat:
            raise BadValue(
                f"{name!r} returned two arrays called {array!r:.80}.",
                "Nested keys are joined by '/': {'W_E': {'power': ...}} and {'W_E/power': ...} are the same name.",
                "Give one of them another.",
            )
        flat[array] = value
    return flat


def _leaves(arrays: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    """Every value that is no mapping, by its path; by its key alone where that is no text, which has no path."""
    for key, value in arrays.items():
        if not isinstance(value, Mapping):
            yield key, value
            continue
        for inner, leaf in _leaves(value):
            named = isinstance(key, str)
            yield f"{key}/{inner}" if named and isinstance(inner, str) else inner if named else key, leaf


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
