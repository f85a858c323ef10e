"""Whose tags, notes and pins were written since one looked last, here or elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, final

from miscope.store.annotation_files import annotated

if TYPE_CHECKING:
    from miscope.store.store import Store

__all__ = ["NotesWatch"]

_EVERY = 2.0
"""Seconds: a folder of each variant is looked at, which of a thousand takes a hundredth of a second."""


@final
class NotesWatch:
    """Looks at the folders as often as is worth it, however often it is asked."""

    def __init__(self, store: Store, every: float = _EVERY) -> None:
        self._store, self._every = store, every
        self._looked: float | None = None
        self._known: dict[str, int] = {}

    def look(self) -> frozenset[str]:
        """Names of the variants of which something was written since; at first nothing is new."""
        now = time.monotonic()
        if self._looked is not None and now - self._looked < self._every:
            return frozenset()
        first, self._looked = self._looked is None, now
        before, self._known = self._known, annotated(self._store)
        if first:
            return frozenset()
        return frozenset(name for name in {*before, *self._known} if before.get(name) != self._known.get(name))
