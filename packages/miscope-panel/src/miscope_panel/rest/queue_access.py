"""What the routes over runs work with: the workspace, its queue, and somebody to call when there is work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, final

from fastapi import Path

from miscope.errors import UnknownName
from miscope_panel.rest.estimating import Estimating

if TYPE_CHECKING:
    from miscope.runs.queued_run import QueuedRun
    from miscope.runs.run_queue import RunQueue
    from miscope.workspace import Workspace

__all__ = ["LARGEST", "Kind", "QueueAccess", "RunNumber"]

Kind = Literal["train", "analyze"]

LARGEST = 2**63 - 1
"""The greatest number that the queue's file can hold."""

RunNumber = Annotated[int, Path(ge=1, le=LARGEST, description="The run's number.", examples=[3])]


@final
@dataclass(frozen=True, kw_only=True)
class QueueAccess:
    """Of one workspace."""

    workspace: Workspace
    queue: RunQueue
    summon: Callable[[], None]
    """Sees to it that somebody works through the queue."""
    ending: Callable[[], bool] = lambda: False
    """Whether the server was told to end: what answers without end then leaves off."""
    estimating: Estimating = field(default_factory=lambda: Estimating(lambda: False))
    """Whose turn it is to have an estimate made."""
    heartbeat: float = 15.0
    """Seconds of silence after which one who watches is given a sign of life."""

    def run(self, number: int, kind: Kind | None) -> QueuedRun:
        """The run of that number, if it is of that kind; None for either."""
        found = self.queue.run(number)
        if kind is not None and found.kind != kind:
            known = [str(run.id) for run in self.queue.runs() if run.kind == kind]
            listing = f"That run is to {found.kind} {found.what}; it is at /api/v1/runs/{number}."
            raise UnknownName("training", number, known, listing=listing)
        return found
