"""What happens to a training, as a script that watches it is told: one envelope, and in it what each event says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, final

from pydantic import BaseModel, ConfigDict, Field

from miscope.jsonable import jsonable
from miscope.runs.run_state import ALLOWED, ENDED, Action, RunState

if TYPE_CHECKING:
    from miscope.runs.journal import Noted
    from miscope.runs.queued_run import QueuedRun
    from miscope.store.store import Store

__all__ = [
    "CheckpointData",
    "CompletedData",
    "FailedData",
    "ProgressData",
    "ResyncData",
    "StatusData",
    "TrainingEvent",
    "TrainingEvents",
    "training_event",
]

_LOSSES = ("loss", "train_loss", "test_loss")
"""Which metric is the loss: the first that there is."""
_L0, _FVU = ("l0", "test_l0", "train_l0"), ("fvu", "test_fvu", "train_fvu")
"""As well, of autoencoders: of what is held out where there is such."""


class ProgressData(BaseModel):
    """How far it is."""

    step: int
    loss: float | None = Field(description="The metric of that name, else train_loss, else test_loss.")
    l0: float | None = Field(description="The metric of that name, else test_l0, else train_l0; fvu alike.")
    fvu: float | None
    progress_pct: float | None
    num_steps: int | None
    rate: float | None = Field(description="Steps a second.")
    eta_s: float | None
    metrics: dict[str, float | None] = Field(description="The last of each.")


class CheckpointData(BaseModel):
    """A checkpoint was saved."""

    checkpoint_path: str = Field(description="Under the workspace.")
    step: int
    bytes: int | None


class CompletedData(BaseModel):
    """It came to its end."""

    sae_path: str | None = Field(description="Of its last checkpoint under the workspace, whatever was trained.")
    final_loss: float | None
    metrics: dict[str, float | None]
    seconds: float


class FailedData(BaseModel):
    """It ended with an error, or its process is gone."""

    error: str
    step: int
    state: RunState
    resumable: bool
    last_checkpoint: int | None


class StatusData(BaseModel):
    """It is in another state, or elsewhere in the queue."""

    model_config = ConfigDict(populate_by_name=True)

    before: RunState | None = Field(alias="from")
    to: RunState
    reason: str


class ResyncData(BaseModel):
    """The server does not know the event of `since_seq`: what follows is everything, from the beginning."""

    since_seq: int


class HeartbeatData(BaseModel):
    """Nothing happened."""

    model_config = ConfigDict(extra="forbid")


_Data = ProgressData | CheckpointData | CompletedData | FailedData | StatusData | ResyncData | HeartbeatData

EXAMPLE: dict[str, Any] = {
    "v": 1,
    "channel": "training/3",
    "event": "checkpoint",
    "seq": 17,
    "ts": 1795871061.2,
    "training_id": 3,
    "data": {
        "checkpoint_path": "variants/modadd.transformer/p113-seed1-dseed598/checkpoints/step_000001000.safetensors",
        "step": 1000,
        "bytes": 908632,
    },
}


@final
class TrainingEvent(BaseModel):
    """Something that happened to a training."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    v: Literal[1] = 1
    channel: str
    event: Literal[
        "created",
        "status_changed",
        "progress",
        "checkpoint",
        "completed",
        "failed",
        "stopped",
        "deleted",
        "restored",
        "heartbeat",
        "resync",
    ]
    seq: int = Field(
        description="Of this training's events, ascending, the same for good; those of progress that later progress"
        " overtook are left out. A heartbeat has that of the event before."
    )
    ts: float = Field(description="When it was, in seconds of the epoch.")
    training_id: int
    data: _Data

    def sent(self) -> str:
        """As a message has it; a number that is not finite is null."""
        return self.model_dump_json(by_alias=True)


@final
class TrainingEvents(BaseModel):
    """Events of a training from a `seq` on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"events": [EXAMPLE], "more": False}]})

    events: list[TrainingEvent]
    more: bool = Field(description="Whether there are more after the last of these.")


def training_event(noted: Noted, run: QueuedRun, store: Store) -> TrainingEvent:
    """What was noted of the run, in these words."""
    told = {"channel": f"training/{run.id}", "training_id": run.id, "seq": noted.seq, "ts": noted.ts}
    event, data = _told(noted, run, store)
    return TrainingEvent.model_validate({**told, "event": event, "data": data})


def _told(noted: Noted, run: QueuedRun, store: Store) -> tuple[str, BaseModel]:
    if noted.event == "progress":
        return "progress", _progress(noted)
    if noted.event == "checkpoint":
        return "checkpoint", _checkpoint(noted, run, store)
    if noted.event == "status" and noted.state is RunState.COMPLETED:
        return "completed", _completed(noted, run, store)
    if noted.event == "status" and noted.state in (RunState.FAILED, RunState.INTERRUPTED):
        return "failed", _failed(noted)
    moved = StatusData.model_validate({"from": noted.before, "to": noted.state, "reason": noted.error})
    if noted.event == "status":
        return "stopped" if noted.state in ENDED else "status_changed", moved
    return "status_changed" if noted.event in ("priority", "labels") else noted.event, moved


def _progress(noted: Noted) -> ProgressData:
    reached = noted.reached
    share = None if not reached.total else round(100 * min(reached.done / reached.total, 1.0), 2)
    facts = {
        "step": reached.done,
        "loss": _first(noted, _LOSSES),
        "l0": _first(noted, _L0),
        "fvu": _first(noted, _FVU),
        "progress_pct": share,
        "num_steps": reached.total,
        "rate": reached.rate,
        "eta_s": reached.eta,
        "metrics": reached.metrics,
    }
    return ProgressData.model_validate(jsonable(facts))


def _checkpoint(noted: Noted, run: QueuedRun, store: Store) -> CheckpointData:
    step = noted.reached.checkpoint
    assert step is not None, "such an event is noted of a checkpoint that was saved"
    try:
        size = store.layout.checkpoint(run.what, step).stat().st_size
    except OSError:
        size = None
    return CheckpointData(checkpoint_path=_path(store, run.what, step), step=step, bytes=size)


def _completed(noted: Noted, run: QueuedRun, store: Store) -> CompletedData:
    reached, steps = noted.reached, store.steps(run.what)
    last = reached.checkpoint if reached.checkpoint is not None else steps[-1] if steps else None
    facts = {
        "sae_path": None if last is None else _path(store, run.what, last),
        "final_loss": _first(noted, _LOSSES),
        "metrics": reached.metrics,
        "seconds": reached.seconds,
    }
    return CompletedData.model_validate(jsonable(facts))


def _failed(noted: Noted) -> FailedData:
    return FailedData(
        error=noted.error,
        step=noted.reached.done,
        state=noted.state,
        resumable=noted.state in ALLOWED[Action.RESUME],
        last_checkpoint=noted.reached.checkpoint,
    )


def _first(noted: Noted, names: Sequence[str]) -> float | None:
    return next((noted.reached.metrics[name] for name in names if name in noted.reached.metrics), None)


def _path(store: Store, variant: str, step: int) -> str:
    return store.layout.checkpoint(variant, step).relative_to(store.layout.root).as_posix()
