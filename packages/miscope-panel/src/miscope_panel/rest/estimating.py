"""Estimates of a server: made one at a time, for a few who wait, and none once the server is to end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from starlette.exceptions import HTTPException

from miscope_panel.http.problem import Problem

if TYPE_CHECKING:
    from miscope.training.bounded_estimate import Bounds

__all__ = ["TOO_MANY", "Estimating"]

_MOST = 4
"""Who make one or wait for their turn. Each of them keeps one of the threads on which all routes are answered."""

_LOOK_EVERY = 0.1

TOO_MANY: dict[int | str, dict[str, Any]] = {
    503: {"model": Problem, "description": "Others wait for their estimates; `retry-after` says when to ask again."}
}
"""How a route refuses that makes estimates, for OpenAPI."""


@final
@dataclass(frozen=True)
class Estimating:
    """One at a time, since each may take as much memory as it is allowed."""

    ending: Callable[[], bool]
    """Whether the server was told to end."""
    _turn: threading.Lock = field(default_factory=threading.Lock)
    _places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(_MOST))

    @contextmanager
    def turn(self) -> Iterator[Bounds]:
        """What the estimate that is made meanwhile may take. HTTPException 503 for one too many, and at the end."""
        from miscope.training.bounded_estimate import Bounds  # it loads torch

        if not self._places.acquire(blocking=False):
            raise HTTPException(503, f"{_MOST} estimates are being made or waited for already", {"retry-after": "5"})
        try:
            while not self._turn.acquire(timeout=_LOOK_EVERY):
                if self.ending():
                    raise HTTPException(503, "The server is about to end", {"retry-after": "5"})
            try:
                yield Bounds(should_stop=self.ending)
            finally:
                self._turn.release()
        finally:
            self._places.release()
