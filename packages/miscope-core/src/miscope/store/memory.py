"""What was lately read, kept while it fits: least recently used goes first. One place for all of a store's caching."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from time import time_ns
from typing import Any, TypeVar, final

__all__ = ["Memory"]

T = TypeVar("T")

_SMALL = 512
"""Bytes that anything without a size of its own is taken to have."""

_SETTLED_NS = 2_000_000_000
"""What changes twice within the grain of a disk's clock shows one time for both; this is more than the coarsest."""


@final
class Memory:
    """Values by key, at most so many bytes; may be used from several threads."""

    def __init__(self, capacity: int) -> None:
        self._capacity, self._held = capacity, 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: Hashable, load: Callable[[], T]) -> T:
        """The value of the key, loaded if it is not here. The key must change when the value would."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
        value = load()
        size = _size(value)
        with self._lock:
            if key not in self._values and size <= self._capacity:
                self._values[key] = (value, size)
                self._held += size
            while self._held > self._capacity:
                self._held -= self._values.popitem(last=False)[1][1]
        return value

    def at_rest(self, what: str, path: Path, load: Callable[[], T]) -> T:
        """What is read of a file, or of which files are in a folder: read again once that changed, or changed lately.

        Files of a store are written beside their place and moved there, so each shows in its folder. Raises what
        `load` raises.
        """
        try:
            found = os.stat(path)
        except OSError:
            return load()
        # Who copies files may set the one time back, never the other.
        if time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) < _SETTLED_NS:
            return load()
        return self.of((what, str(path), found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns), load)


def _size(value: object) -> int:
    if isinstance(value, Mapping):
        return _SMALL + sum(_size(item) for item in value.values())
    if is_dataclass(value):
        return _SMALL + sum(_size(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, tuple):
        return _SMALL + _SMALL * len(value)
    return int(getattr(value, "nbytes", _SMALL))
