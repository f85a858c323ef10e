"""What is asked of runs on the page, by the verbs that all others use, and what became of it in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, final

from miscope.errors import MiscopeError
from miscope.runs import actions
from miscope.runs.actions import Done
from miscope.runs.run_state import BEGINNING, Action, RunState
from miscope_panel.shown.queue_moves import priorities_after
from miscope_panel.shown.run_sections import queue_order

if TYPE_CHECKING:
    from miscope_panel.page.page_record import ServerContext

__all__ = ["READ_ONLY", "Asked", "JobActions"]

READ_ONLY = "This server was started with --read-only: nothing can be started, changed or deleted here."

_DONE = {
    Action.STOP: "asked to stop",
    Action.PAUSE: "asked to pause",
    Action.RESUME: "back in the queue",
    Action.CANCEL: "cancelled",
    Action.RETRY: "asked for once more",
    Action.SAVE: "asked for a checkpoint",
    Action.DELETE: "taken out of the list",
}


@final
@dataclass(frozen=True, kw_only=True)
class Asked:
    """What became of it."""

    text: str
    is_problem: bool = False
    undo: tuple[int, ...] = ()
    """Runs that were deleted, and can be put back."""


@final
class JobActions:
    """Of one server; called on threads."""

    def __init__(self, server: ServerContext) -> None:
        self._server = server

    @property
    def locked(self) -> str:
        """Why nothing may be asked; '' where it may."""
        return READ_ONLY if self._server.read_only else ""

    def ask(self, action: str, numbers: Sequence[int]) -> Asked:
        """Ask that of each of these runs; one that is refused keeps none of the others back."""
        if self.locked:
            return Asked(text=self.locked, is_problem=True)
        if action not in {each.value for each in _DONE}:
            return Asked(text=f"Nobody knows what it is to {action} a run.", is_problem=True)
        wanted = Action(action)
        done = actions.each(numbers, partial(actions.ask, self._server.queue, wanted))
        if wanted in BEGINNING and any(one.run is not None for one in done):
            self._server.summon()
        undo = tuple(one.number for one in done if one.run is not None) if wanted is Action.DELETE else ()
        return _told(done, _DONE[wanted], undo)

    def restore(self, numbers: Sequence[int]) -> Asked:
        """Put deleted runs back into the list."""
        if self.locked:
            return Asked(text=self.locked, is_problem=True)
        return _told(actions.each(numbers, partial(actions.restore, self._server.queue)), "back in the list")

    def move(self, number: int, by: int) -> Asked:
        """Have a waiting run begin so many places later; earlier where it is negative."""
        if self.locked:
            return Asked(text=self.locked, is_problem=True)
        queue = self._server.queue
        try:
            order = queue_order(queue.runs({RunState.PENDING}))
            for one, priority in priorities_after(order, number, by).items():
                queue.prioritize(one, priority)
        except MiscopeError as error:
            return Asked(text=str(error), is_problem=True)
        return Asked(text=f"Run {number} begins {'earlier' if by < 0 else 'later'}.")


def _told(done: Sequence[Done], what: str, undo: tuple[int, ...] = ()) -> Asked:
    refused = [one.refused for one in done if one.refused]
    fine = [one.number for one in done if one.run is not None]
    which = f"Run {fine[0]} is" if len(fine) == 1 else f"{len(fine):,} runs are"
    lines = [f"{which} {what}."] if fine else []
    more = f"{len(refused):,} were refused; the first:" if len(refused) > 1 else ""
    return Asked(text="\n".join([*lines, *([more] if more else []), *refused[:1]]), is_problem=bool(refused), undo=undo)
