"""What is answered of studies: pydantic models, so that OpenAPI says what to expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

from pydantic import BaseModel, ConfigDict, Field

from miscope.jsonable import jsonable
from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import RunState
from miscope.settings import settings_of
from miscope.studies.planning import PlannedRun, Presence
from miscope_panel.rest.run_answers import RunSeen
from miscope_panel.rest.study_asked import STUDY_EXAMPLE, StudyFound
from miscope_panel.rest.training_answers import TRAINED_WITH, TrainingEstimate

if TYPE_CHECKING:
    from miscope.studies.study_estimate import StudyEstimate

__all__ = ["Studies", "StudyPlan", "StudyRunPlanned", "StudyRunStarted", "StudySeen", "StudyStarted", "StudySummary"]

_RUN: dict[str, Any] = {"name": "wd0.1", "variant": "modadd.transformer/p59-seed1-dseed598-wd0.1", "presence": "new"}


@final
class StudyRunStarted(BaseModel):
    """A run of a study, and where it is in the queue."""

    name: str
    variant: str
    presence: Presence = Field(description="What there was of its training.")
    training: int | None = Field(description="The run that trains it; null where that is finished.")
    analysis: int | None = Field(description="The run that analyzes it; null where the study computes nothing.")

    @classmethod
    def of(cls, planned: PlannedRun, runs: Sequence[QueuedRun]) -> StudyRunStarted:
        """runs: what was asked for of it."""
        by_kind = {run.kind: run.id for run in runs}
        facts = {"name": planned.run.name, "variant": planned.run.variant.name, "presence": planned.presence}
        return cls(**facts, training=by_kind.get("train"), analysis=by_kind.get("analyze"))


@final
class StudyStarted(BaseModel):
    """A study whose runs are in the queue."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "decay", "family": "modadd.transformer", "runs": [{**_RUN, "training": 3, "analysis": 4}]}
            ]
        }
    )

    name: str = Field(description="The group of its runs.")
    family: str
    runs: list[StudyRunStarted]


@final
class StudyRunPlanned(BaseModel):
    """A run of a study that is not asked for yet."""

    number: int = Field(description="Its place in the study, counted from 0.")
    name: str
    variant: str
    presence: Presence
    step: int = Field(description="Of its last checkpoint; 0 where there is none.")
    total: int = Field(description="The step that it is to reach.")
    settings: dict[str, Any] = Field(description="Every parameter and every field of the training.")
    trained_with: dict[str, Any] = Field(default={}, description=TRAINED_WITH)
    estimate: TrainingEstimate | None = Field(description="Null where it is finished, or nobody knows.")
    problem: str | None = Field(description="Why nobody knows.")


@final
class StudyPlan(BaseModel):
    """What would be run of a study; nothing was queued."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "dry_run": True,
                    "name": "decay",
                    "family": "modadd.transformer",
                    "runs": [
                        {
                            **{**_RUN, "number": 0, "step": 0, "total": 5000},
                            **{"settings": {"prime": 59, "weight_decay": 0.1}, "estimate": None, "problem": None},
                        }
                    ],
                }
            ]
        }
    )

    dry_run: bool = True
    name: str
    family: str
    runs: list[StudyRunPlanned]

    @classmethod
    def of(cls, found: StudyFound, left: StudyEstimate) -> StudyPlan:
        """left: of its runs, as far as that was asked."""
        return cls(
            name=found.study.name,
            family=found.study.family,
            runs=[_planned(each, left) for each in found.plan],
        )


def _planned(planned: PlannedRun, left: StudyEstimate) -> StudyRunPlanned:
    run, estimate = planned.run, left.runs.get(planned.run.name)
    facts = {
        "number": planned.number,
        "name": run.name,
        "variant": run.variant.name,
        "presence": planned.presence,
        "step": planned.step,
        "total": planned.total,
        "settings": jsonable(settings_of(run.variant)),
        "trained_with": jsonable(dict(planned.trained_with)),
        "estimate": None if estimate is None else estimate.facts(),
        "problem": left.problems.get(run.name),
    }
    return StudyRunPlanned.model_validate(facts)


@final
class StudySummary(BaseModel):
    """A study that was run here, in short."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "decay", "kept": True, "runs": 2, "status_counts": {"completed": 1, "running": 1}}]
        }
    )

    name: str
    kept: bool = Field(description="Whether the study itself is in the workspace, and not its runs alone.")
    runs: int = Field(description="Of it in the queue, that were not deleted.")
    status_counts: dict[RunState, int] = Field(description="How many of these are in each state, where some are.")

    @classmethod
    def of(cls, name: str, runs: Sequence[QueuedRun], *, kept: bool) -> StudySummary:
        """The study of these runs."""
        return cls(name=name, kept=kept, runs=len(runs), status_counts=dict(Counter(run.state for run in runs)))


@final
class Studies(BaseModel):
    """Every study that was run here or is in the queue, by name."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"studies": [{"name": "decay", "kept": True, "runs": 1, "status_counts": {"running": 1}}]}]
        }
    )

    studies: list[StudySummary]


@final
class StudySeen(BaseModel):
    """A study with its runs."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "decay", "study": STUDY_EXAMPLE, "runs": []}]})

    name: str
    study: dict[str, Any] | None = Field(
        description="Every setting of every run, which is a study itself; null where it is not in the workspace."
    )
    runs: list[RunSeen] = Field(description="In the queue, the first asked for first.")
