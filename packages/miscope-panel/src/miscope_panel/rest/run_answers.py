"""What is answered of runs: pydantic models, so that OpenAPI says what to expect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, final

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from miscope.jsonable import jsonable
from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import ALLOWED, RunState
from miscope_panel.rest.exampled import exampled

__all__ = ["EXAMPLE", "Asked", "AskedOfMany", "Page", "Pagination", "RunLog", "RunSeen", "allowed", "answered"]

Status = Literal["pending", "running", "completed", "failed", "stopped"]

_STATUS: Mapping[RunState, Status] = {
    RunState.PENDING: "pending",
    RunState.RUNNING: "running",
    RunState.STOPPING: "running",
    RunState.STOPPED: "stopped",
    RunState.COMPLETED: "completed",
    RunState.FAILED: "failed",
    RunState.INTERRUPTED: "failed",
    RunState.CANCELLED: "stopped",
}

EXAMPLE: dict[str, Any] = {
    "id": 3,
    "kind": "train",
    "what": "modadd.transformer/p113-seed1-dseed598",
    "group": "primes",
    "name": "baseline",
    "notes": "before the change of the split",
    "tags": ["paper"],
    "state": "running",
    "status": "running",
    "allowed": ["stop", "pause", "save"],
    "done": 1200,
    "total": 25000,
    "unit": "step",
    "progress_pct": 4.8,
    "rate": 21.5,
    "eta": 1107.0,
    "seconds": 61.2,
    "metrics": {"train_loss": 0.031, "test_loss": 5.2},
    "checkpoint": 1000,
    "priority": 0,
    "needs": [],
    "retry_of": None,
    "duplicate_of": None,
    "attempt": 1,
    "created": 1795871000.2,
    "started": 1795871003.1,
    "ended": None,
    "host": "atlas",
    "pid": 4242,
    "message": "",
    "error": "",
    "ledger": "2026-11-28T130325-train-1f2e",
    "deleted": False,
    "request": {"kind": "train", "family": "modadd.transformer", "params": {"prime": 113, "seed": 1}},
}


@final
class RunSeen(BaseModel):
    """A run, as it stands now. Times are seconds of the epoch."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: int
    kind: Literal["train", "analyze"]
    what: str = Field(description="The variant that is trained, or those that are analyzed in short.")
    group: str | None = Field(description="The study that it is a run of.")
    name: str = Field(description="What somebody called it; as notes and tags are, of no meaning to what it does.")
    notes: str
    tags: list[str]
    state: RunState
    status: Status = Field(description="The same in five words: stopping is running, interrupted failed.")
    allowed: list[str] = Field(description="What may be asked of it as it stands.")
    done: int = Field(description="Steps of a training, jobs of an analysis.")
    total: int | None = Field(description="Null until its process has said it.")
    unit: Literal["step", "job"]
    progress_pct: float | None
    rate: float | None = Field(description="Steps, or jobs, a second.")
    eta: float | None = Field(description="Seconds to the end; null while nobody knows.")
    seconds: float = Field(description="It has worked.")
    metrics: dict[str, float | None] = Field(description="The last of each.")
    checkpoint: int | None = Field(description="The last step saved.")
    priority: int
    needs: list[int] = Field(description="Runs that have to be completed before it begins.")
    retry_of: int | None
    duplicate_of: int | None = Field(
        default=None, description="Told when a training is asked for: the completed run that did the same; else null."
    )
    attempt: int
    created: float
    started: float | None
    ended: float | None
    host: str | None
    pid: int | None
    message: str
    error: str = Field(description="Why it failed, was interrupted or stopped.")
    ledger: str
    deleted: bool
    request: dict[str, Any] = Field(description="What was asked for: a TrainRequest or an AnalyzeRequest.")

    @classmethod
    def of(cls, run: QueuedRun) -> RunSeen:
        """The run in these words."""
        share = None if run.share is None else round(100 * run.share, 2)
        seen = {"status": _STATUS[run.state], "allowed": allowed(run), "progress_pct": share}
        return cls.model_validate(jsonable({**run.facts(), **seen}))


def allowed(run: QueuedRun) -> list[str]:
    """What may be asked of it as it stands."""
    return [action.value for action, states in ALLOWED.items() if run.state in states]


@final
class Pagination(BaseModel):
    """Where a page stands among all that were found."""

    page: int
    limit: int
    total: int
    pages: int


@final
class Page(BaseModel):
    """A page of runs, the latest first."""

    model_config = exampled(
        data=[EXAMPLE], pagination={"page": 1, "limit": 20, "total": 1, "pages": 1}, status_counts={"running": 1}
    )

    data: list[RunSeen]
    pagination: Pagination
    status_counts: dict[RunState, int] = Field(description="Of all runs that were not deleted, whatever was asked for.")

    @classmethod
    def of(cls, found: Sequence[QueuedRun], counts: Mapping[RunState, int], *, page: int, limit: int) -> Page:
        """That page of these runs."""
        latest = list(reversed(found))[(page - 1) * limit : page * limit]
        where = Pagination(page=page, limit=limit, total=len(found), pages=-(-len(found) // limit))
        return cls(data=[RunSeen.of(run) for run in latest], pagination=where, status_counts=dict(counts))


@final
class Asked(BaseModel):
    """What became of one run of several."""

    id: int
    run: RunSeen | None = Field(description="As it stands now, or the new one; null where it was refused.")
    refused: str | None = Field(description="Why, as `miscope` prints it.")


@final
class AskedOfMany(BaseModel):
    """What became of each, in the order in which they were given."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"results": [{"id": 3, "run": EXAMPLE, "refused": None}]}]}
    )

    results: list[Asked]


@final
class RunLog(BaseModel):
    """The last lines that a run's process printed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lines": ["run 3: completed"]}]})

    lines: list[str]


def answered(model: BaseModel, status: int = 200) -> Response:
    """The model as an answer; a number that is not finite is null."""
    return Response(model.model_dump_json(by_alias=True), status, media_type="application/json")
