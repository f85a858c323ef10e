"""What there is of each run of a study already, and what is left to do of it. Runs nothing."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

from miscope.failure import tried
from miscope.store.trained_with import said_of, trained_with
from miscope.studies.study import StudyRun

if TYPE_CHECKING:
    from miscope.request import Request
    from miscope.train_request import TrainRequest
    from miscope.workspace import Workspace

__all__ = ["PlannedRun", "Presence", "is_left", "planned"]


class Presence(enum.StrEnum):
    """What there is of a run's training."""

    NEW = "new"
    FINISHED = "finished"
    SHORTER = "shorter"
    """It ended as it was told to, before the step that it is to reach now."""
    FAILED = "failed"
    STOPPED = "stopped"
    """Somebody stopped it, or its process is gone."""
    RUNNING = "running"
    """A process trains it now."""


@final
@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """A run of a study, and how far it is."""

    run: StudyRun
    number: int
    """Its place among those that were chosen, counted from 0."""
    presence: Presence
    step: int
    """Of its last checkpoint; 0 where there is none."""
    total: int
    """The step that it is to reach."""
    trained_with: Mapping[str, Any] = field(default_factory=dict)
    """Fields of a finished training that were otherwise than the run asks, and make it no other: its checkpoints."""

    @property
    def train(self) -> TrainRequest | None:
        """What trains it; None where that is finished."""
        return None if self.presence is Presence.FINISHED else self.run.train

    @property
    def requests(self) -> tuple[Request, ...]:
        """What is left to ask for: to train it, then to compute what is absent."""
        return tuple(request for request in (self.train, self.run.analyze) if request is not None)

    @property
    def left(self) -> int:
        """Updates that are still to be made."""
        return 0 if self.presence is Presence.FINISHED else self.total - self.step

    def __str__(self) -> str:
        return self.told()

    def told(self, *, goes_on: bool = False) -> str:
        """What there is of it and what is done. goes_on: whether the analysis of a finished one lacks something."""
        match self.presence:
            case Presence.NEW:
                return f"new, to step {self.total}"
            case Presence.FINISHED:
                return "; ".join(
                    filter(
                        None,
                        ("finished, " + ("its analysis goes on" if goes_on else "skipped"), said_of(self.trained_with)),
                    )
                )
            case Presence.SHORTER:
                return f"shorter, extended from step {self.step} to {self.total}"
            case Presence.FAILED:
                return f"failed, retried from step {self.step} to {self.total}"
            case Presence.STOPPED:
                return f"stopped, resumed from step {self.step} to {self.total}"
            case Presence.RUNNING:
                return f"being trained by another process, past step {self.step} of {self.total}"


def planned(workspace: Workspace, runs: Sequence[StudyRun], *, first: int = 0) -> tuple[PlannedRun, ...]:
    """These runs with what there is of each, by checkpoints and by how its last training ended.

    first: the number of the first of them.
    """
    ends = _last_states(workspace)
    return tuple(_planned(workspace, run, first + place, ends) for place, run in enumerate(runs))


def is_left(workspace: Workspace, planned: PlannedRun) -> bool:
    """Whether there is something to do of it: a training, or an analysis that lacks something or cannot be told."""
    from miscope.analysis.analyze import outstanding_of  # it loads torch

    analyze = planned.run.analyze
    if planned.train is not None or analyze is None:
        return planned.train is not None
    return tried(lambda: bool(outstanding_of(workspace, analyze).busy)) is not False


def _planned(workspace: Workspace, run: StudyRun, number: int, ends: Mapping[str, str]) -> PlannedRun:
    assert run.variant.training is not None
    total, steps = run.variant.training.steps, workspace.store.steps(run.variant.name)
    presence = _presence(steps, total, ends.get(run.variant.name))
    return PlannedRun(
        run=run,
        number=number,
        presence=presence,
        step=steps[-1] if steps else 0,
        total=total,
        trained_with=trained_with(workspace.store, run.variant) if presence is Presence.FINISHED else {},
    )


_BY_STATE = {"failed": Presence.FAILED, "running": Presence.RUNNING, "completed": Presence.SHORTER}


def _presence(steps: Sequence[int], total: int, ended: str | None) -> Presence:
    """ended: the state of its last training's run; None where none is known."""
    if ended == "running":
        return Presence.RUNNING
    if steps and steps[-1] >= total:
        return Presence.FINISHED
    if ended is None:
        return Presence.SHORTER if steps else Presence.NEW
    return _BY_STATE.get(ended, Presence.STOPPED)


def _last_states(workspace: Workspace) -> dict[str, str]:
    """Of every variant that was ever trained here, how its last training ended: 'completed', 'failed', ..."""
    if not workspace.root.is_dir():
        return {}
    rows = workspace.ask("SELECT variant, arg_max(state, run) AS state FROM runs WHERE kind = 'train' GROUP BY variant")
    return dict(zip(rows["variant"].to_pylist(), rows["state"].to_pylist(), strict=True))
