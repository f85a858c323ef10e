"""When something long was last reported and saved, and how long the rest of it will take."""

from __future__ import annotations

import time
from typing import final

__all__ = ["ProgressTimer"]


@final
class ProgressTimer:
    """Measures a loop over steps from its making on."""

    def __init__(self, first: int, total: int) -> None:
        self._first, self._total = first, total
        self._began = self._reported = self._saved = time.monotonic()

    @property
    def since_report(self) -> float:
        """Seconds since something was reported."""
        return time.monotonic() - self._reported

    @property
    def unsaved(self) -> float:
        """Seconds since something was saved."""
        return time.monotonic() - self._saved

    def reported(self) -> None:
        self._reported = time.monotonic()

    def saved(self) -> None:
        self._saved = time.monotonic()

    def left(self, step: int) -> float | None:
        """Seconds to the last step at the pace so far; None before there is one."""
        done = step - self._first
        return (time.monotonic() - self._began) / done * (self._total - step) if done > 0 else None
