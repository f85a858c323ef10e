"""Something that is read again and again: one reading at a time, with a rest between two."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

__all__ = ["Paced"]

_EVERY = 0.2
"""Seconds of rest; with those that a training takes to write and the server to look, below one."""


@final
class Paced:
    """Has it read as soon as there is anything new, but takes its share of the time at most."""

    def __init__(self, read: Callable[[], None], share: float = 0.5) -> None:
        """read: reads what there is by now; whoever is done with that calls `done`."""
        self._read, self._share = read, share
        self._under_way = self._again = False
        self._began = self._ended = self._rest = 0.0

    def want(self, *, urgent: bool) -> None:
        """There is something new. urgent: nothing may follow that would have it read."""
        if self._under_way:
            self._again = self._again or urgent
        elif urgent or time.monotonic() - self._ended >= max(_EVERY, self._rest):
            self._go()

    def done(self) -> None:
        """What was read is shown, or was in vain."""
        self._under_way, self._ended = False, time.monotonic()
        self._rest = (self._ended - self._began) * (1 - self._share) / self._share
        again, self._again = self._again, False
        if again:
            self._go()

    def stop(self) -> None:
        """Nobody looks any more; what is under way is of no interest."""
        self._under_way = self._again = False

    def _go(self) -> None:
        self._under_way, self._again, self._began = True, False, time.monotonic()
        self._read()
