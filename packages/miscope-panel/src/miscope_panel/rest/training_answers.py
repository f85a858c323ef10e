"""What is answered of trainings alone: their plan, curves, checkpoints and configuration."""

from __future__ import annotations

from typing import Any, Literal, final

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "TRAINED_WITH",
    "CheckpointSeen",
    "Checkpoints",
    "Curve",
    "Metrics",
    "RemarkTold",
    "TrainingEstimate",
    "TrainingPlan",
    "VariantCheckpoints",
    "VariantMetrics",
]


TRAINED_WITH = (
    "Where it is trained that far already: fields that were otherwise than is asked for and make it no other variant, "
    "such as its checkpoints. They stay so; for others, give a label, or delete the variant first."
)


@final
class RemarkTold(BaseModel):
    """What a family says of a training before it begins."""

    severity: Literal["error", "warning", "info"] = Field(description="With an error it is not begun.")
    field: str = Field(description="Which it is about, without `params` or `training` before it.")
    message: str


@final
class TrainingEstimate(BaseModel):
    """What a training will take."""

    weights: int = Field(description="Numbers that are trained.")
    steps: int = Field(description="Updates that are left to do.")
    checkpoints: int = Field(description="That it will write; the least number where `adaptive`.")
    adaptive: bool
    size: int = Field(description="Bytes that these and its state will take.")
    data: int = Field(description="Bytes of its examples, which it holds in memory.")
    seconds: tuple[float, float] = Field(description="Between which it will probably lie.")
    measured: int = Field(description="Past trainings that this comes from; 0: from the model's size alone.")
    remarks: list[RemarkTold] = Field(description="What should be known of it before it begins.")


_PLAN: dict[str, Any] = {
    "dry_run": True,
    "what": "modadd.transformer/p59-seed1-dseed598",
    "params": {"prime": 59, "seed": 1, "data_seed": 598},
    "training": {"steps": 5000, "weight_decay": 1.0},
    "steps": 5000,
    "needs": [],
    "duplicate_of": None,
    "checkpoints": 0,
    "last_step": None,
    "trained_with": {},
    "estimate": {
        **{"weights": 222000, "steps": 5000, "checkpoints": 51, "adaptive": False, "size": 46000000, "data": 83544},
        **{"seconds": [180.0, 420.0], "measured": 0, "remarks": []},
    },
    "problem": None,
}


@final
class TrainingPlan(BaseModel):
    """What a training that is asked for would be; nothing was queued."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PLAN]})

    dry_run: bool = True
    what: str = Field(description="The variant.", examples=["modadd.transformer/p59-seed1-dseed598"])
    params: dict[str, Any] = Field(description="Every parameter, those by default too.")
    training: dict[str, Any] = Field(description="Every field of the training.")
    steps: int
    needs: list[int] = Field(description="Runs that it would wait for.")
    duplicate_of: int | None = Field(description="The completed run that did the same: nothing would be left to do.")
    checkpoints: int = Field(description="Of the variant that are there already.")
    last_step: int | None
    trained_with: dict[str, Any] = Field(default={}, description=TRAINED_WITH)
    estimate: TrainingEstimate | None = Field(
        description="Null beyond a million steps, while what it is built on is not there, and where there is a problem."
    )
    problem: str | None = Field(
        default=None, description="Why nobody knows: to find out takes more than a GB of memory or half a minute."
    )


@final
class Curve(BaseModel):
    """One metric over steps; a value that is not finite is null."""

    steps: list[int]
    values: list[float | None]
    points: int = Field(description="Between start_step and end_step; more than are here where they were thinned out.")


_CURVES: dict[str, Any] = {
    "variant": "modadd.transformer/p113-seed1-dseed598",
    "metrics": {"train_loss": {"steps": [0, 100], "values": [4.73, 3.1], "points": 2}},
}


@final
class VariantMetrics(BaseModel):
    """The metrics of a variant, as columns."""

    model_config = ConfigDict(json_schema_extra={"examples": [_CURVES]})

    variant: str
    metrics: dict[str, Curve]


@final
class Metrics(BaseModel):
    """The metrics of a training's variant, as columns."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": 3, **_CURVES}]})

    id: int
    variant: str
    metrics: dict[str, Curve]


@final
class CheckpointSeen(BaseModel):
    """One checkpoint of a training's variant."""

    step: int
    bytes: int | None = Field(description="Null where it is no file of the workspace.")
    problem: str | None = Field(description="Which of its weights are NaN or infinite; null where none is known to be.")
    with_state: bool = Field(description="Whether the optimizer's state of this step is kept beside it.")
    metrics: dict[str, float | None] = Field(description="Of this step, as far as they were computed there.")


_KEPT: dict[str, Any] = {
    "variant": "modadd.transformer/p59-seed1-dseed598",
    "checkpoints": [
        {"step": 100, "bytes": 912384, "problem": None, "with_state": False, "metrics": {"test_loss": 5.2}}
    ],
}


@final
class VariantCheckpoints(BaseModel):
    """The checkpoints of a variant, by step."""

    model_config = ConfigDict(json_schema_extra={"examples": [_KEPT]})

    variant: str
    checkpoints: list[CheckpointSeen]


@final
class Checkpoints(BaseModel):
    """The checkpoints of a training's variant, by step."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": 3, **_KEPT}]})

    id: int
    variant: str
    checkpoints: list[CheckpointSeen]
