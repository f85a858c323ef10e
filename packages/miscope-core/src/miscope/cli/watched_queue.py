"""The queue that a command reads, and who works through it: a supervisor, or for now nobody."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, final

from miscope.cli.printing import note
from miscope.commands import in_workspace

if TYPE_CHECKING:
    from miscope.runs.queued_run import QueuedRun
    from miscope.runs.run_queue import RunQueue
    from miscope.store.ledger import Ledger
    from miscope.workspace import Workspace

__all__ = ["WatchedQueue", "queue_of"]

_PATIENCE = 5.0
"""Seconds that a supervisor has to begin."""


def queue_of(workspace: Workspace) -> RunQueue:
    """The queue of it, in which no run is called running whose process is gone."""
    watched = WatchedQueue.of(workspace)
    watched.look()
    return watched.queue


@final
class WatchedQueue:
    """Looks after the queue while one follows runs."""

    def __init__(self, queue: RunQueue, ledger: Ledger) -> None:
        self.queue, self._ledger = queue, ledger
        self._nobody_since: float | None = None
        self._said = False

    @classmethod
    def of(cls, workspace: Workspace) -> WatchedQueue:
        """That of the workspace."""
        from miscope.runs.run_queue import RunQueue

        return cls(RunQueue(workspace.root), workspace.ledger)

    def look(self) -> None:
        """Where no supervisor does, give runs whose process is gone the state that they are really in."""
        from miscope.runs.reconciling import reconcile_unattended

        reconcile_unattended(self.queue, self._ledger)

    def waits_in_vain(self, runs: list[QueuedRun]) -> bool:
        """Whether none of these will end or begin as things stand; says so of those that have not ended, with why."""
        from miscope.runs.run_state import ACTIVE, ENDED, RunState
        from miscope.runs.waiting import in_vain

        if any(run.state in ACTIVE for run in runs):
            return False
        causes = in_vain(self.queue.every())
        left = [run.id for run in runs if run.state not in ENDED]
        if not left or not set(left) <= set(causes):
            return False
        for number in left:
            cause = causes[number]
            verb = "resume" if cause.state in (RunState.STOPPED, RunState.INTERRUPTED) else "retry"
            line = in_workspace(self.queue.layout.root, f"miscope runs {verb} {cause.id}")
            note(f"Run {number} does not begin: run {cause.id} is {cause.state}.  To go on:  {line}")
        return True

    def say_who_works(self) -> None:
        """Say so, once, where runs wait and nobody works through the queue."""
        from miscope.runs.run_state import RunState
        from miscope.store.variant_lock import lock_holder

        if lock_holder(self.queue.layout.supervisor):
            self._nobody_since, self._said = None, False
            return
        self._nobody_since = self._nobody_since or time.monotonic()
        if self._said or time.monotonic() - self._nobody_since < _PATIENCE:
            return
        if self.queue.runs([RunState.PENDING]):
            self._said = True
            line = in_workspace(self.queue.layout.root, "miscope runs serve")
            note(f"Nobody works through the queue now.  To do that:  {line}")
