"""When something long was last reported and saved."""

from __future__ import annotations

import time
from typing import final

__all__ = ["ProgressTimer"]


@final
class ProgressTimer:
    """Measures a loop from its making on."""

    def __init__(self) -> None:
        self._reported = self._saved = time.monotonic()

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
