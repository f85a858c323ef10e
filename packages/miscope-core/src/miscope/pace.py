"""How fast something goes on, and how long the rest of it takes, once that is measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

__all__ = ["Pace"]

_SECONDS, _ADVANCED = 2.0, 2
"""That have to be measured: seconds, and steps or jobs."""


@final
class Pace:
    """Of one attempt: what was done before it began is no part of it, nor is the first that it does.

    That first stretch has in it what is done once: importing, compiling, making a place for the optimizer's state.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: float | None = None
        self._since: tuple[float, float] | None = None
        self._now: tuple[float, float] = (0.0, 0.0)

    def note(self, done: float) -> None:
        """So much is done, of this attempt and of earlier ones."""
        moment = self._clock()
        if self._first is None or done < self._first:
            self._first, self._since = done, None
        elif self._since is None and done > self._first:
            self._since = moment, done
        self._now = moment, done

    @property
    def rate(self) -> float | None:
        """Steps, or jobs, a second; None until enough of them took long enough."""
        if self._since is None:
            return None
        seconds, advanced = self._now[0] - self._since[0], self._now[1] - self._since[1]
        return advanced / seconds if seconds >= _SECONDS and advanced >= _ADVANCED else None

    def left(self, total: float | None) -> float | None:
        """Seconds to the end of so many; None while nobody knows."""
        if total is None or self._first is None:
            return None
        if self._now[1] >= total:
            return 0.0
        return None if self.rate is None else (total - self._now[1]) / self.rate
