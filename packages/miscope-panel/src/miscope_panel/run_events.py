"""What happens to runs, told to one listener: a look at the queue at a time, and of several changes the last."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, final

from pydantic import BaseModel, ConfigDict, Field

from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import ENDED, RunState
from miscope_panel.run_answers import EXAMPLE, RunSeen

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
    def of(cls, event: Happening, run: QueuedRun, before: QueuedRun | None) -> RunEvent:
        """The event of a run that now stands so."""
        told: dict[str, Any] = {"before": None if before is None else before.state, "run": RunSeen.of(run)}
        return cls(event=event, id=run.id, ts=time.time(), **told)

    def sent(self) -> str:
        """As a stream of server-sent events has it."""
        return f"event: {self.event}\ndata: {self.model_dump_json(by_alias=True)}\n\n"


@final
class Changes:
    """The runs as one listener last saw them."""

    def __init__(self, queue: RunQueue, only: frozenset[int] = frozenset()) -> None:
        """only: numbers of the runs that matter; none for all."""
        self._queue, self._only = queue, only
        self._marks: Mapping[int, tuple[object, ...]] | None = None
        self._runs: dict[int, QueuedRun] = {}

    def look(self) -> list[RunEvent]:
        """What changed since the last look, by number of the run; at the first, what has not ended."""
        if self._marks is None:
            self._marks = self._queue.marks()
            there = [*self._queue.runs(), *self._queue.runs(deleted=True)]
            self._runs = {run.id: run for run in there if self._matters(run.id)}
            going = [run for run in self._runs.values() if run.state not in ENDED and not run.deleted]
            return [RunEvent.of("seen", run, None) for run in sorted(going, key=lambda run: run.id)]
        before, self._marks = self._marks, self._queue.marks()
        changed = [number for number, mark in sorted(self._marks.items()) if before.get(number) != mark]
        return [self._changed(number) for number in changed if self._matters(number)]

    def _matters(self, number: int) -> bool:
        return not self._only or number in self._only

    def _changed(self, number: int) -> RunEvent:
        before, now = self._runs.get(number), self._queue.run(number)
        self._runs[number] = now
        return RunEvent.of(_happened(before, now), now, before)


def _happened(before: QueuedRun | None, now: QueuedRun) -> Happening:
    if before is None:
        return "created"
    if before.deleted != now.deleted:
        return "deleted" if now.deleted else "restored"
    if before.state is not now.state:
        ended: Mapping[RunState, Happening] = {RunState.COMPLETED: "completed", RunState.FAILED: "failed"}
        return ended.get(now.state, "status")
    return "progress" if before.reached.checkpoint == now.reached.checkpoint else "checkpoint"
