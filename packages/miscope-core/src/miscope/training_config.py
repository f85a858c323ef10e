"""How a variant is trained: what decides its weights, and what only decides how long and what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, field_validator
from pydantic_core import to_jsonable_python

from miscope.field_docs import documented
from miscope.learning_rate import RateFields, idle_rate_fields, rate_factor
from miscope.optimizers import OptimizerFields, idle_optimizer_fields
from miscope.schedule import FORMS, Every, Explicit, Schedule, parse_schedule

__all__ = ["TrainingConfig"]

_ALWAYS = (
    "optimizer", "learning_rate", "betas", "eps", "momentum", "weight_decay", "no_decay", "warmup_steps", "clip_norm",
    "batch_size", "train_fraction", "loss_dtype",
)  # fmt: skip
"""Fields in every digest. One that was added later, here or by a family, is in it where it is not at its default: so
the digests of variants from before it stay as they are."""


def _recording(**extra: Any) -> dict[str, Any]:
    return {"identity": False, **extra}


@documented
class TrainingConfig(RateFields, OptimizerFields):
    """Optimizer, learning rate, data share and length of a training; frozen.

    Fields marked as recording (steps, checkpoints, ...) leave the weights at a given step as they are, so they are
    neither in the variant's slug nor in its digest, and may change when a training is resumed or extended.

    A family whose training has more to choose subclasses it and names the subclass (`Family.training_config`). The
    default of a field stands in no digest, so it never changes: a family gives another value in `Family.training`.
    """

    clip_norm: Annotated[float | None, Field(gt=0, json_schema_extra={"slug": "clip"})] = None
    """L2 norm of the whole gradient above which it is scaled down to it (Pascanu et al. 2013, section 3.2)."""
    batch_size: Annotated[int | None, Field(ge=1, json_schema_extra={"slug": "batch"})] = None
    """Examples an update sees; None: the full training set, so that a step is an epoch (Nanda et al. 2023)."""
    train_fraction: Annotated[float, Field(gt=0, lt=1, json_schema_extra={"slug": "frac"})] = 0.3
    """Share of the examples trained on, 0 to 1, where the family splits them; 0.3 as in Nanda et al. 2023."""
    loss_dtype: Annotated[Literal["float32", "float64"], Field(json_schema_extra={"slug": "loss"})] = "float64"
    """Type of the logits in the loss: in float32, losses below 1e-7 nats are rounding (arXiv 2501.04697)."""

    interventions: Annotated[tuple[str, ...], Field(json_schema_extra={"slug": "do"})] = ()
    """Names by which the family knows what is done to the activations on the way: 'gain-k14-x2-from500-to1000'."""

    steps: Annotated[int, Field(ge=0, json_schema_extra=_recording())] = 25_000
    """Optimizer updates in all, from step 0."""
    checkpoints: Annotated[Schedule, Field(json_schema_extra=_recording(form=FORMS))] = Every(n=100)
    """Steps at which a checkpoint is kept; step 0 and the last always are."""
    evaluate_every: Annotated[int, Field(ge=1, json_schema_extra=_recording())] = 1
    """Steps from one evaluation of the test metrics to the next; they are at every checkpoint too."""
    save_optimizer: Annotated[bool, Field(json_schema_extra=_recording())] = False
    """Keep the optimizer's state beside every checkpoint, for lenses on optimizer dynamics."""

    @field_validator("checkpoints", mode="before")
    @classmethod
    def _schedule_from_text(cls, value: object) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            raise ValueError("a number alone says neither which step nor how often")
        if isinstance(value, list | tuple):
            return Explicit(steps=tuple(value))
        return parse_schedule(value) if isinstance(value, str) else value

    @field_validator("interventions", mode="before")
    @classmethod
    def _one_intervention(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @classmethod
    def identity_fields(cls) -> tuple[str, ...]:
        """Fields that decide the weights at a given step, in order."""

        def decides(extra: object) -> bool:
            return not (isinstance(extra, dict) and extra.get("identity") is False)

        return tuple(name for name, info in cls.model_fields.items() if decides(info.json_schema_extra))

    @classmethod
    def identity_of(cls, values: Mapping[str, object]) -> dict[str, object]:
        """Of a training as JSON has it: what the digest is made of."""
        return {
            name: values[name]
            for name in cls.identity_fields()
            if name in values and (name in _ALWAYS or values[name] != cls._first_default(name))
        }

    def rate_at(self, step: int) -> float:
        """The learning rate of the update from that step, of weights in no group of their own."""
        return self.learning_rate * rate_factor(self, step)

    def idle_fields(self) -> dict[str, str]:
        """Fields that mean nothing to the optimizer and the schedule chosen -> what they are of."""
        return idle_optimizer_fields(self) | idle_rate_fields(self)

    @classmethod
    def _first_default(cls, name: str) -> object:
        """As the class that brought the field has it, in JSON; what no value is like where it has none."""
        owners = (base for base in reversed(cls.__mro__) if issubclass(base, BaseModel) and name in base.model_fields)
        info = next(owners).model_fields[name]
        return object() if info.is_required() else to_jsonable_python(info.get_default(call_default_factory=True))
