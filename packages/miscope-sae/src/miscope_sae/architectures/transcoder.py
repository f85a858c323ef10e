"""Transcoders: latents of one site that reconstruct another, and what a linear map adds to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, final

from pydantic import Field

from miscope import Remark, Source, Term, Variant
from miscope.errors import BadValue
from miscope.lazily import torch
from miscope_sae import terms
from miscope_sae.architecture import AXES, Architecture, Weights
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.params import AutoencoderParams, latent_count
from miscope_sae.roles import DECODER, DECODER_BIAS, ENCODER, ENCODER_BIAS
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import PassOf
from miscope_sae.training import L1Training, SparseTraining
from miscope_sae.updates.unit_decoder import unit_rows

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Transcoder", "TranscoderFamily", "TranscoderParams"]


@final
class TranscoderParams(AutoencoderParams):
    """And what is reconstructed."""

    normalize_activations: Annotated[
        Literal["none", "constant_norm"], Field(json_schema_extra={"slug": "norm", "in_name": "changed"})
    ] = "constant_norm"
    """'constant_norm' multiplies the activations of each of the two sites by a number of its own, after which their
    mean norm is the square root of the width. What scales each input by itself could not be undone: the scale of a
    target is not known from its input."""
    apply_b_dec_to_input: Annotated[
        Literal[False], Field(json_schema_extra={"slug": "centred", "in_name": "changed"})
    ] = False
    """Never: the decoder's bias lies in the space of what is reconstructed."""
    site: Annotated[str, Field(min_length=1, json_schema_extra={"slug": ""})]
    """Whose activations it reads: 'blocks.0.hook_resid_mid'."""
    target_site: Annotated[str, Field(min_length=1, json_schema_extra={"slug": "to"})]
    """Whose activations are reconstructed, of the same checkpoint: 'blocks.0.hook_mlp_out'."""
    linear_skip: Annotated[bool, Field(json_schema_extra={"slug": "skip", "in_name": "changed"})] = False
    """Whether a linear map of the input is added (Paulo et al. 2025). It may take any share of what a latent writes, so
    decoder rows are then no longer determined."""


@final
class Transcoder(Architecture):
    """Latents are the positive part of the pre-activations."""

    def __init__(self, *, skips: bool) -> None:
        super().__init__(centred=False)
        self.skips = skips

    def latents(self, weights: Weights, before: Tensor) -> Tensor:
        return torch.relu(before)

    def skip(self, weights: Weights, x: Tensor) -> Tensor | None:
        # In the orientation of SAELens: (d_out, d_in).
        return x @ weights["W_skip"].T if self.skips else None


@final
class TranscoderFamily(AutoencoderFamily):
    """Squared error of another site's activations at the same inputs, and an L1 penalty."""

    name = "sae.transcoder"
    title = "Transcoder: sparse latents of one site that reconstruct another"
    params = TranscoderParams
    training_config = L1Training
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **AXES,
        DECODER: ("latent", "output"),
        DECODER_BIAS: ("output",),
        "W_skip": ("output", "input"),
    }

    def reads(self, params: Any) -> Sequence[Source]:
        if params.site == params.target_site:
            raise BadValue(
                f"A transcoder of {params.site} to itself is an autoencoder.",
                "It reconstructs one site from another.",
                "Choose another target_site, or another architecture.",
            )
        return tuple(
            Source(variant=params.variant, step=params.step, site=site) for site in (params.site, params.target_site)
        )

    def architecture(self, params: Any, setting: Setting | None) -> Architecture:
        return Transcoder(skips=params.linear_skip)

    def usual_training(self, params: Any) -> SparseTraining:
        """The decoder's bias begins at the mean of what is reconstructed."""
        return super().usual_training(params).model_copy(update={"b_dec_init": "mean"})

    def remarks(self, variant: Variant) -> Sequence[Remark]:
        told = "the map may take any share of what a latent writes: read no decoder row as what its latent writes."
        remark = Remark(severity="warning", field="linear_skip", message=told)
        params: Any = variant.params
        return (*((remark,) if params.linear_skip else ()), *super().remarks(variant))

    def shapes_of(self, params: Any) -> Mapping[str, tuple[int, ...]]:
        width, out = (rows.width for rows in self.rows_of(params).each)
        latents = latent_count(params.latents, width)
        plain = {ENCODER: (width, latents), ENCODER_BIAS: (latents,), DECODER: (latents, out), DECODER_BIAS: (out,)}
        return {**plain, **({"W_skip": (out, width)} if params.linear_skip else {})}

    def first_weights(self, setting: Setting) -> dict[str, Tensor]:
        """Encoder and decoder rows in random directions, each of its own; the linear map is 0."""
        from miscope_sae.updates.first_bias import first_bias

        generator, training = torch.Generator().manual_seed(setting.seed), setting.training
        read = unit_rows(torch.randn(setting.latents, setting.width, generator=generator))
        written = unit_rows(torch.randn(setting.latents, setting.width_out, generator=generator))
        norm = 1.0 if training.decoder_norm == "unit" else training.decoder_init_norm
        weights = {
            ENCODER: read.T.contiguous(),
            ENCODER_BIAS: torch.zeros(setting.latents),
            DECODER: norm * written,
            DECODER_BIAS: first_bias(training.b_dec_init, setting.targets),
        }
        return weights | {name: torch.zeros(setting.shapes[name]) for name in setting.shapes if name not in weights}

    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        return (terms.reconstruction(pass_of), *terms.sparsity(pass_of, setting))
