"""How a variant is trained: what decides its weights, and what only decides how long and what is kept."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from miscope.field_docs import documented
from miscope.schedule import FORMS, Every, Explicit, Schedule, parse_schedule

__all__ = ["TrainingConfig"]


def _recording(**extra: Any) -> dict[str, Any]:
    return {"identity": False, **extra}


@documented
class TrainingConfig(BaseModel):
    """Optimizer, data share and length of a training; frozen.

    Fields marked as recording (steps, checkpoints, ...) leave the weights at a given step as they are, so they are
    neither in the variant's slug nor in its digest, and may change when a training is resumed or extended.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    optimizer: Annotated[Literal["adamw", "adam", "sgd"], Field(json_schema_extra={"slug": "opt"})] = "adamw"
    """As PyTorch has it; AdamW decays weights apart from the gradient."""
    learning_rate: Annotated[float, Field(gt=0, json_schema_extra={"slug": "lr"})] = 1e-3
    """Of every update once `warmup_steps` are over."""
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.98)
    """Adam's two decay rates; not of SGD."""
    eps: Annotated[float, Field(gt=0)] = 1e-8
    """Adam's term in the denominator; not of SGD."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Of SGD only."""
    weight_decay: Annotated[float, Field(ge=0, json_schema_extra={"slug": "wd"})] = 1.0
    """Coefficient, as PyTorch means it for that optimizer."""
    no_decay: Annotated[tuple[str, ...], Field(json_schema_extra={"slug": "nodecay"})] = ()
    """Role patterns excluded from weight decay ('*.b_*')."""
    warmup_steps: Annotated[int, Field(ge=0, json_schema_extra={"slug": "warmup"})] = 0
    """The update from step s uses learning_rate * min(s / warmup_steps, 1), so the first is at rate 0."""
    clip_norm: Annotated[float | None, Field(gt=0, json_schema_extra={"slug": "clip"})] = None
    """Global gradient norm above which gradients are scaled down."""
    batch_size: Annotated[int | None, Field(ge=1, json_schema_extra={"slug": "batch"})] = None
    """None: the full training set at every step, so that a step is an epoch."""
    train_fraction: Annotated[float, Field(gt=0, lt=1, json_schema_extra={"slug": "frac"})] = 0.3
    """Share of the examples trained on, where the family splits them; the rest is the test set."""
    loss_dtype: Annotated[Literal["float32", "float64"], Field(json_schema_extra={"slug": "loss"})] = "float64"
    """Type the logits are cast to before the loss: with float32 small losses are noise."""

    interventions: Annotated[tuple[str, ...], Field(json_schema_extra={"slug": "do"})] = ()
    """Names by which the family knows what is done to the activations on the way: 'gain-k14-x2-from500-to1000'."""

    steps: Annotated[int, Field(ge=0, json_schema_extra=_recording())] = 25_000
    """Updates in all."""
    checkpoints: Annotated[Schedule, Field(json_schema_extra=_recording(form=FORMS))] = Every(n=100)
    """Which steps are kept; step 0 and the last always are."""
    evaluate_every: Annotated[int, Field(ge=1, json_schema_extra=_recording())] = 1
    """Test metrics at every n-th step, and at every checkpoint."""
    save_optimizer: Annotated[bool, Field(json_schema_extra=_recording())] = False
    """Keep the optimizer's moments beside every checkpoint, for lenses on optimizer dynamics."""

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
