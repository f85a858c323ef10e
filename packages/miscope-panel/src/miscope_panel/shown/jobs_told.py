"""What the header says of the queue wherever one is: how much works, and how far that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import ACTIVE

__all__ = ["NOTHING", "JobsTold"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class JobsTold:
    """Of the runs that a process works on."""

    running: int = 0
    percent: int | None = None
    """Of them together, each counting the same; None while none has said how long it is."""

    @classmethod
    def of(cls, runs: Iterable[QueuedRun]) -> JobsTold:
        """Of these, whatever their states."""
        active = [run for run in runs if run.state in ACTIVE]
        shares = [run.share for run in active if run.share is not None]
        percent = int(100 * sum(shares) / len(active)) if shares else None
        return cls(running=len(active), percent=percent)

    @property
    def words(self) -> str:
        """'2 jobs running, 71 % done'; '' where none is."""
        if not self.running:
            return ""
        far = "" if self.percent is None else f", {self.percent} % done"
        return f"{self.running} job{'s' * (self.running != 1)} running{far}"


NOTHING = JobsTold()
