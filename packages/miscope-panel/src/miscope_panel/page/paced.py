"""Something that is read again and again: one reading at a time, with a rest between two."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

__all__ = ["Later", "Paced"]

Later = Callable[[float, Callable[[], None]], None]
"""Has something called after so many seconds."""

_EVERY = 0.2
"""Seconds of rest; with those that a training takes to write and the server to look, below one."""


@final
class Paced:
    """Has it read as soon as there is anything new, but takes its share of the time at most."""

    def __init__(self, read: Callable[[], None], share: float = 0.5, later: Later | None = None) -> None:
        """read: reads what there is by now; whoever is done with that calls `done`.

        later: with it, what comes meanwhile is read at the end of the rest; without, at the next change.
        """
        self._read, self._share, self.later = read, share, later
        self._under_way = self._again = self._wanted = self._waiting = False
        self._began = self._ended = self._rest = 0.0

    def want(self, *, urgent: bool) -> None:
        """There is something new. urgent: nothing may follow that would have it read."""
        if self._under_way:
            self._again, self._wanted = self._again or urgent, True
        elif urgent or self._rests_for() <= 0:
            self._go()
        else:
            self._wanted = True
            self._wait()

    def done(self) -> None:
        """What was read is shown, or was in vain."""
        self._under_way, self._ended = False, time.monotonic()
        self._rest = (self._ended - self._began) * (1 - self._share) / self._share
        if self._again:
            self._go()
        elif self._wanted:
            self._wait()

    def stop(self) -> None:
        """Nobody looks any more; what is under way is of no interest."""
        self._under_way = self._again = self._wanted = False

    def _rests_for(self) -> float:
        return self._ended + max(_EVERY, self._rest) - time.monotonic()

    def _wait(self) -> None:
        if self.later is not None and not self._waiting:
            self._waiting = True
            self.later(max(0.0, self._rests_for()), self._rested)

    def _rested(self) -> None:
        self._waiting = False
        if self._wanted and not self._under_way:
            self.want(urgent=False)

    def _go(self) -> None:
        self._under_way, self._again, self._wanted, self._began = True, False, False, time.monotonic()
        self._read()
