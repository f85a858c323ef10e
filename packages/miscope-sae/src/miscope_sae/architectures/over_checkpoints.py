"""What crosscoders have in common: one site at several steps of a variant, for latents that the steps share."""

from __future__ import annotations

from abc import ABC
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator

from miscope import Source
from miscope.errors import BadValue
from miscope.lazily import torch
from miscope_sae.architecture import Architecture, Weights
from miscope_sae.architectures.checkpoint_blocks import block_norms, blocks, in_drawn_order
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.params import LatentParams, latent_count
from miscope_sae.roles import DECODER, DECODER_BIAS, ENCODER, ENCODER_BIAS
from miscope_sae.rows.normalisation import constant_scale
from miscope_sae.training import SparseTraining

if TYPE_CHECKING:
    from torch import Tensor

    from miscope_sae.rows.normalisation import Scale
    from miscope_sae.setting import Setting

__all__ = ["CrosscoderParams", "OverCheckpoints", "SharedLatents"]

_FEWEST = 2


class CrosscoderParams(LatentParams):
    """Several checkpoints of another variant and a site."""

    normalize_activations: Annotated[
        Literal["none", "constant_norm"], Field(json_schema_extra={"slug": "norm", "in_name": "changed"})
    ] = "constant_norm"
    """'constant_norm' multiplies the activations of each checkpoint by one number of its own, after which their mean
    norm is the square root of the width: an early checkpoint of small activations counts as much as a late one."""
    shuffled: Annotated[bool, Field(json_schema_extra={"in_name": "changed"})] = False
    """Whether the checkpoints of each input are put in an order of its own: nothing is then born or dies, and births
    that are found all the same are the method's."""
    site: Annotated[str, Field(min_length=1, json_schema_extra={"slug": ""})]
    """Whose activations it reconstructs: 'blocks.0.mlp.hook_post'."""
    source_steps: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(json_schema_extra={"slug": "at"})]
    """Of the checkpoints it is built on, ascending, two at least."""
    variant: Annotated[str, Field(min_length=1, json_schema_extra={"slug": "of"})]
    """Name of the variant it is built on: 'modadd.transformer/p113-seed999-dseed598'."""

    @field_validator("source_steps")
    @classmethod
    def _ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(value) < _FEWEST:
            raise ValueError(f"a crosscoder is of two checkpoints at least, and this is {len(value)}")
        if sorted(set(value)) != list(value):
            raise ValueError("they are to ascend, each given once")
        return value


class SharedLatents(Architecture, ABC):
    """Inputs and decoder rows have a part for each checkpoint; a latent counts as the sum of its parts' norms.

    So a latent of one checkpoint alone costs as much as one of an autoencoder of that checkpoint (Lindsey et al. 2024).
    """

    def __init__(self, *, checkpoints: int) -> None:
        super().__init__(centred=True)
        self.checkpoints = checkpoints

    def norms(self, weights: Weights) -> Tensor:
        return block_norms(weights[DECODER], self.checkpoints).sum(1)


class OverCheckpoints(AutoencoderFamily):
    """An autoencoder of a site of another variant at several of its steps, each with its own encoder and decoder."""

    params = CrosscoderParams
    of_several = True

    def reads(self, params: Any) -> Sequence[Source]:
        return tuple(Source(variant=params.variant, step=step, site=params.site) for step in params.source_steps)

    def built_on(self, steps: Sequence[int]) -> list[dict[str, object]]:
        """One of all of them. BadValue for a single one."""
        if len(steps) < _FEWEST:
            raise BadValue(
                f"A crosscoder is of {_FEWEST} checkpoints at least, and this is {len(steps)}.",
                "It has latents that several checkpoints share.",
                "Name several: --step all, --step every:100 or --step 0,500; in Python step='all'.",
                field="source_steps",
            )
        return [{"source_steps": tuple(steps)}]

    def is_imported(self, params: Any) -> bool:
        """Other libraries have no files of them."""
        return False

    def untrained(self, params: Any) -> None:
        """What the untrained network gives is beside the others in it."""
        return None

    def usual_training(self, params: Any) -> SparseTraining:
        """The decoder's bias begins at the mean of each checkpoint."""
        return super().usual_training(params).model_copy(update={"b_dec_init": "mean"})

    def shapes_of(self, params: Any) -> Mapping[str, tuple[int, ...]]:
        width = self.rows_of(params).each[0].width
        return self.shapes(width * len(params.source_steps), latent_count(params.latents, width))

    def arranged(self, params: Any, rows: Tensor, seed: int) -> Tensor:
        """(n, T * d), the checkpoints of each row in an order of its own where they are shuffled."""
        return in_drawn_order(rows, len(params.source_steps), seed) if params.shuffled else rows

    def scales_of(self, params: Any) -> Sequence[Scale]:
        """(T * d,) the number of each checkpoint, as often as the site is wide."""
        parted = blocks(self.inputs_of(params), len(params.source_steps))
        each = torch.tensor([constant_scale(rows) for rows in parted.unbind(1)])
        return (each.repeat_interleave(parted.shape[2]),)

    def first_weights(self, setting: Setting) -> dict[str, Tensor]:
        """Directions of each latent drawn at each checkpoint for itself, so that none looks alike that has learned
        nothing; the encoder is their transpose."""
        from miscope_sae.updates.first_bias import first_bias

        training, (latents, width) = setting.training, setting.shapes[DECODER]
        drawn = torch.randn(latents, width, generator=torch.Generator().manual_seed(setting.seed))
        parted = blocks(drawn, width // setting.width)
        # 'unit' is of all checkpoints together.
        norm = parted.shape[1] ** -0.5 if training.decoder_norm == "unit" else training.decoder_init_norm
        decoder = (norm * parted / parted.norm(dim=2, keepdim=True)).flatten(1)
        bias = first_bias(training.b_dec_init, setting.targets)
        return {
            ENCODER: decoder.T.contiguous(),
            ENCODER_BIAS: torch.zeros(latents),
            DECODER: decoder,
            DECODER_BIAS: bias,
        }
