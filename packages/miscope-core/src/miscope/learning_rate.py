"""The learning rate at each step: warmup, a schedule, a final decay. A new schedule goes here, and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["SCHEDULES", "RateFields", "idle_rate_fields", "rate_factor"]


class RateFields(BaseModel):
    """How the learning rate changes in training."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    warmup_steps: Annotated[int, Field(ge=0, json_schema_extra={"slug": "warmup"})] = 0
    """Updates of linear warmup: from step s at learning_rate * min(s / warmup_steps, 1), so the first is at rate 0."""
    lr_schedule: Annotated[Literal["constant", "linear", "cosine"], Field(json_schema_extra={"slug": "sched"})] = (
        "constant"
    )
    """How the rate goes from the end of the warmup to the beginning of the final decay."""
    lr_schedule_steps: Annotated[int | None, Field(ge=1, json_schema_extra={"slug": "over"})] = None
    """The step at which schedule and final decay are over. Not `steps`, by which a training may be extended."""
    lr_min_ratio: Annotated[float, Field(ge=0, le=1, json_schema_extra={"slug": "minlr"})] = 0.0
    """Share of the rate at which a schedule ends that is not constant."""
    lr_decay_steps: Annotated[int, Field(ge=0, json_schema_extra={"slug": "lrdecay"})] = 0
    """Length of the final decay, linear from where the schedule ends to 0."""

    @model_validator(mode="after")
    def _fits(self) -> RateFields:
        lowers = self.lr_schedule != "constant"
        if self.lr_schedule_steps is None:
            if lowers or self.lr_decay_steps:
                which = f"the schedule {self.lr_schedule!r}" if lowers else "a final decay"
                raise ValueError(f"{which} needs lr_schedule_steps, the step at which it is over")
        elif (used := self.warmup_steps + self.lr_decay_steps) + lowers > self.lr_schedule_steps:
            raise ValueError(
                f"lr_schedule_steps={self.lr_schedule_steps} leaves no step for the schedule: warmup and final decay "
                f"take {used}"
            )
        return self


def _constant(done: float) -> float:
    return 1.0


def _linear(done: float) -> float:
    return 1.0 - done


def _cosine(done: float) -> float:
    return (1.0 + math.cos(math.pi * done)) / 2


SCHEDULES: Mapping[str, Callable[[float], float]] = {"constant": _constant, "linear": _linear, "cosine": _cosine}
"""What is left, from 1 to 0, once this share of the schedule is over, from 0 to 1."""


def rate_factor(config: RateFields, step: int) -> float:
    """What the learning rate is multiplied by in the update from this step, 0 to 1."""
    warmup = min(step / config.warmup_steps, 1.0) if config.warmup_steps else 1.0
    if config.lr_schedule_steps is None:
        return warmup
    end = config.lr_schedule_steps - config.lr_decay_steps
    span = end - config.warmup_steps
    done = min(max(step - config.warmup_steps, 0) / span, 1.0) if span else 1.0
    level = config.lr_min_ratio + (1.0 - config.lr_min_ratio) * SCHEDULES[config.lr_schedule](done)
    last = min((config.lr_schedule_steps - step) / config.lr_decay_steps, 1.0) if config.lr_decay_steps else 1.0
    return warmup * level * max(last, 0.0)


def idle_rate_fields(config: RateFields) -> dict[str, str]:
    """Fields that mean nothing to the schedule chosen -> what each is of."""
    if config.lr_schedule != "constant":
        return {}
    lowering = " and ".join(name for name in SCHEDULES if name != "constant")
    idle = {"lr_min_ratio": f"the schedules {lowering}"}
    return (
        idle if config.lr_decay_steps else idle | {"lr_schedule_steps": f"the schedules {lowering}, or lr_decay_steps"}
    )
