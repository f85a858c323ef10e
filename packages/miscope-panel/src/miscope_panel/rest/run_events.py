"""What happens to runs, told to one listener: a look at the queue at a time, and of several changes the last."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, final

from pydantic import BaseModel, ConfigDict, Field

from miscope.runs.journal import Journal, Noted
from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import ENDED, RunState
from miscope_panel.rest.run_answers import EXAMPLE, RunSeen

if TYPE_CHECKING:
    from miscope.runs.run_queue import RunQueue

__all__ = ["Changes", "Happening", "RunEvent"]

Happening = Literal["seen", "created", "status", "completed", "failed", "checkpoint", "progress", "deleted", "restored"]


_EXAMPLE: dict[str, Any] = {"event": "status", "id": 3, "ts": 1795871003.1, "from": "pending", "run": EXAMPLE}


@final
class RunEvent(BaseModel):
    """Something that happened to a run."""

    model_config = ConfigDict(populate_by_name=True, json_schema_extra={"examples": [_EXAMPLE]})

    event: Happening = Field(
        description="seen: it was there when one began to listen, and had not ended. status: another state."
    )
    id: int
    ts: float = Field(description="When it was noticed, in seconds of the epoch.")
    before: RunState | None = Field(alias="from", description="Its state when one last looked.")
    run: RunSeen

    @classmethod
    def of(cls, event: Happening, run: QueuedRun, before: RunState | None) -> RunEvent:
        """The event of a run that now stands so."""
        told: dict[str, Any] = {"before": before, "run": RunSeen.of(run)}
        return cls(event=event, id=run.id, ts=time.time(), **told)

    def sent(self) -> str:
        """As a stream of server-sent events has it."""
        return f"event: {self.event}\ndata: {self.model_dump_json(by_alias=True)}\n\n"


@final
class Changes:
    """What one listener has not been told yet."""

    def __init__(self, queue: RunQueue, only: frozenset[int] = frozenset()) -> None:
        """only: numbers of the runs that matter; none for all."""
        self._queue, self._only, self._journal = queue, only, Journal(queue.database)
        self._seen: int | None = None
        self._born: float | None = None

    def look(self) -> list[RunEvent]:
        """What changed since the last look, by number of the run; at the first, what has not ended."""
        born, before = self._journal.born(), self._born
        self._born = born
        if self._seen is None or before not in (None, born):  # the queue was made anew
            self._seen = self._journal.newest()
            going = [run for run in self._queue.runs() if run.state not in ENDED and self._matters(run.id)]
            return [RunEvent.of("seen", run, None) for run in going]
        noted = self._journal.after(self._seen, self._only)
        self._seen = noted[-1].id if noted else self._seen
        by_run: dict[int, list[Noted]] = {}
        for each in noted:
            by_run.setdefault(each.run, []).append(each)
        return [self._told(number, changes) for number, changes in sorted(by_run.items())]

    def _matters(self, number: int) -> bool:
        return not self._only or number in self._only

    def _told(self, number: int, changes: list[Noted]) -> RunEvent:
        return RunEvent.of(_happened(changes), self._queue.run(number), changes[0].before)


def _happened(changes: list[Noted]) -> Happening:
    """Of several changes of a run the one worth telling: a new state rather than how far it is."""
    names = {each.event: each for each in changes}
    if "created" in names:
        return "created"
    last = next((each for each in reversed(changes) if each.event in ("status", "deleted", "restored")), None)
    if last is not None:
        ended: Mapping[RunState, Happening] = {RunState.COMPLETED: "completed", RunState.FAILED: "failed"}
        named: Mapping[str, Happening] = {"deleted": "deleted", "restored": "restored"}
        return named[last.event] if last.event in named else ended.get(last.state, "status")
    return "checkpoint" if "checkpoint" in names else "progress"
