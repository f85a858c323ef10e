"""How autoencoders are trained: what their losses weigh, and what is done about latents that no longer fire."""

from __future__ import annotations

from typing import Annotated, Literal, Self, final

from pydantic import Field, model_validator

from miscope import TrainingConfig
from miscope_sae.refusing import refusal
from miscope_sae.seed_ranges import out_of_range

__all__ = [
    "RESAMPLED_SHARE",
    "THRESHOLD_RATE",
    "JumpReluTraining",
    "L1Training",
    "MatryoshkaTraining",
    "SkipTraining",
    "SparseTraining",
    "TopKTraining",
]

RESAMPLED_SHARE = 0.8
"""Of the learning rate's schedule: dead latents are drawn anew before, so that they can still learn."""
THRESHOLD_RATE = 0.01
"""Share of the way to a batch's least kept latent that a running threshold goes in an update, as in SAELens."""


class SparseTraining(TrainingConfig):
    """What every architecture has."""

    sparsity_warmup_steps: Annotated[int, Field(ge=0, json_schema_extra={"slug": "spwarmup"})] = 0
    """Updates over which the coefficient of sparsity rises from 0, linearly."""
    decoder_norm: Annotated[Literal["free", "unit"], Field(json_schema_extra={"slug": "dec"})] = "free"
    """'free' weighs a latent in the sparsity by the norm of its decoder row; 'unit' keeps that at 1 after each update,
    and takes the radial part out of its gradient before it is clipped."""
    decoder_init_norm: Annotated[float, Field(gt=0, json_schema_extra={"slug": "decinit"})] = 0.1
    """Of each decoder row at step 0, where it is free."""
    b_dec_init: Annotated[Literal["zeros", "mean", "geometric_median"], Field(json_schema_extra={"slug": "bdec"})] = (
        "zeros"
    )
    """The decoder's bias at step 0, of the inputs trained on."""
    dead_neuron_threshold: Annotated[float, Field(ge=0, json_schema_extra={"slug": "deadbelow"})] = 0.0
    """A latent is active where it is above this."""
    dead_window_steps: Annotated[int, Field(ge=1, json_schema_extra={"slug": "deadafter"})] = 100
    """Updates without an activation after which a latent is dead."""
    resample_steps: Annotated[int | None, Field(ge=1, json_schema_extra={"slug": "resample"})] = None
    """Updates from one drawing of dead latents anew to the next, until the learning rate falls; None for never."""
    allow_out_of_range: Annotated[bool, Field(json_schema_extra={"identity": False})] = False
    """Whether values outside the usual ranges are taken, as small models need them."""

    @model_validator(mode="after")
    def _within(self) -> Self:
        values = {name: getattr(self, name) for name in type(self).model_fields}
        if not self.allow_out_of_range and (outside := out_of_range(values)):
            (field, first), *others = outside.items()
            clauses = [first.replace(f"{values[field]} is", "it is", 1), *(f"{name}={told}" for name, told in others)]
            reason = f"{', '.join(clauses)}; allow_out_of_range=true takes {'them' if others else 'it'} all the same"
            raise refusal(self, field, reason)
        return self

    @model_validator(mode="after")
    def _drawn_anew_in_time(self) -> Self:
        every, over = self.resample_steps, self.lr_schedule_steps
        if every is not None and every <= self.dead_window_steps:
            window = f"the dead_window_steps={self.dead_window_steps}"
            raise refusal(self, "resample_steps", f"it leaves no latent {window} in which it could fire")
        if every is not None and over is not None and every >= RESAMPLED_SHARE * over:
            fifths = f"in the first four fifths of lr_schedule_steps={over}"
            raise refusal(self, "resample_steps", f"it is never reached: latents are drawn anew {fifths}")
        return self


class L1Training(SparseTraining):
    """A penalty on the sum of the latents."""

    l1_alpha: Annotated[float | None, Field(ge=0, json_schema_extra={"slug": "l1"})] = None
    """Its coefficient where the squared error is a mean over dimensions; the one descended, is `width`
    times this. None: as `rho` and `expected_l0` have it."""
    rho: Annotated[float, Field(gt=0, json_schema_extra={"slug": "rho"})] = 0.1
    """Share of a typical active latent by which the penalty shrinks it: lambda = 2 rho sqrt(width / expected_l0)."""
    expected_l0: Annotated[float, Field(gt=0, json_schema_extra={"slug": "l0"})] = 8.0
    """Latents that an input is expected to have."""


@final
class SkipTraining(L1Training):
    """And a penalty on what goes past the latents."""

    skip_penalty: Annotated[float, Field(ge=0, json_schema_extra={"slug": "skip"})] = 0.0
    """Coefficient of the mean squared norm of that, of normalised inputs."""


@final
class JumpReluTraining(SparseTraining):
    """Thresholds that are learned, and a penalty on the number of latents above them."""

    l0_alpha: Annotated[float | None, Field(ge=0, json_schema_extra={"slug": "l0a"})] = None
    """Coefficient of the mean number of active latents. None: a tenth of the squared size of a typical one."""
    target_l0: Annotated[float | None, Field(gt=0, json_schema_extra={"slug": "target"})] = None
    """The mean number of active latents to aim at instead: the penalty is then (L0 / target_l0 - 1)^2."""
    expected_l0: Annotated[float, Field(gt=0, json_schema_extra={"slug": "l0"})] = 8.0
    """Latents that an input is expected to have; a typical one is then of size sqrt(width / expected_l0)."""
    bandwidth: Annotated[float | None, Field(gt=0, json_schema_extra={"slug": "eps"})] = None
    """Width of the window around a threshold whose inputs move it. None: a tenth of the size of a typical latent."""
    threshold_init: Annotated[float | None, Field(ge=0, json_schema_extra={"slug": "theta"})] = None
    """Thresholds at step 0. None: a tenth of the size of a typical latent."""
    sparsity_mode: Annotated[Literal["step", "tanh"], Field(json_schema_extra={"slug": "mode"})] = "step"
    """What is penalised of a latent: 'step' whether it is active, by a straight-through gradient of its threshold
    alone; 'tanh' tanh(4 z) of its size, by a gradient of all."""
    pre_act_loss: Annotated[float, Field(ge=0, json_schema_extra={"slug": "preact"})] = 0.0
    """Coefficient of what dead latents lack to their threshold, which revives them."""

    @model_validator(mode="after")
    def _one_aim(self) -> Self:
        if self.l0_alpha is not None and self.target_l0 is not None:
            raise refusal(self, "target_l0", "l0_alpha is another way to say the same; give one of them")
        return self


class TopKTraining(SparseTraining):
    """A number of latents is kept, and dead ones learn what the others leave over."""

    aux_alpha: Annotated[float, Field(ge=0, json_schema_extra={"slug": "aux"})] = 1.0
    """Coefficient of the error of the dead latents' reconstruction of what is left over (Gao et al. 2024, A.2)."""
    aux_k: Annotated[int | None, Field(ge=1, json_schema_extra={"slug": "auxk"})] = None
    """Dead latents that take part, of each input; None: half the width of the site."""


@final
class MatryoshkaTraining(TopKTraining):
    """And several prefixes of the latents reconstruct by themselves."""

    matryoshka_widths: Annotated[tuple[int, ...] | None, Field(json_schema_extra={"slug": "widths"})] = None
    """Latents of each prefix, ascending, the last of all; None: an eighth, a quarter, a half and all."""
