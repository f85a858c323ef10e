"""Autoencoders with a way past the latents: the input itself, a map of low rank of it, or a part of each dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, cast, final

from pydantic import Field

from miscope import Remark, Term, Variant
from miscope.errors import BadValue
from miscope.lazily import torch
from miscope_sae import terms
from miscope_sae.architecture import AXES, Architecture, Weights
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.params import AutoencoderParams
from miscope_sae.roles import DECODER_BIAS
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import PassOf
from miscope_sae.training import SkipTraining
from miscope_sae.updating import Constraints

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SkipFamily", "SkipParams", "SkipReLU"]

SkipMode = Literal["linear_lowrank", "gated", "identity_literal"]

_MOST = 0.95
"""Of an input's dimension that may go past the latents where it is gated: all of it would leave them nothing to do."""


@final
class SkipParams(AutoencoderParams):
    """And what goes past the latents."""

    skip_mode: Annotated[SkipMode, Field(json_schema_extra={"slug": ""})] = "linear_lowrank"
    """'linear_lowrank': a learned map of `skip_rank`, so that latents explain what no such map does. 'gated': a learned
    share of each dimension, below 1. 'identity_literal': the input itself; degenerate, as the reconstruction is then
    perfect without any latent, which is all that it can show."""
    skip_rank: Annotated[int | None, Field(ge=1, json_schema_extra={"slug": "rank"})] = None
    """Of that map, below the width; None: a sixteenth of that."""


@final
class SkipReLU(Architecture):
    """Latents are the positive part of the pre-activations."""

    skips = True

    def __init__(self, *, centred: bool, mode: SkipMode) -> None:
        super().__init__(centred=centred)
        self.mode: SkipMode = mode

    def latents(self, weights: Weights, before: Tensor) -> Tensor:
        return torch.relu(before)

    def skip(self, weights: Weights, x: Tensor) -> Tensor:
        if self.mode == "linear_lowrank":
            return x @ weights["W_skip_in"] @ weights["W_skip_out"]
        return x * weights["g_skip"] if self.mode == "gated" else x


@final
class SkipFamily(AutoencoderFamily):
    """Squared error of latents and of what goes past them together, and an L1 penalty."""

    name = "sae.skip"
    title = "Sparse autoencoder: ReLU, L1 penalty, and a way past the latents"
    params = SkipParams
    training_config = SkipTraining
    axes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **AXES,
        "W_skip_in": ("input", "rank"),
        "W_skip_out": ("rank", "input"),
        "g_skip": ("input",),
    }

    def architecture(self, params: Any, setting: Setting | None) -> Architecture:
        return SkipReLU(centred=params.apply_b_dec_to_input, mode=params.skip_mode)

    def shapes_of(self, params: Any) -> Mapping[str, tuple[int, ...]]:
        plain = super().shapes_of(params)
        width = plain[DECODER_BIAS][0]
        rank = _rank(params.skip_rank, width)
        extra = {
            "linear_lowrank": {"W_skip_in": (width, rank), "W_skip_out": (rank, width)},
            "gated": {"g_skip": (width,)},
            "identity_literal": {},
        }
        return {**plain, **extra[params.skip_mode]}

    def usual_training(self, params: Any) -> SkipTraining:
        """Where a share of each dimension goes past, that is penalised.

        With 1 the share is as large as `rho`, what the penalty on latents takes from them; with much less the cheapest
        is to let nearly all go past and no latent be active.
        """
        plain = cast("SkipTraining", super().usual_training(params))
        return plain.model_copy(update={"skip_penalty": 1.0}) if params.skip_mode == "gated" else plain

    def first_weights(self, setting: Setting) -> dict[str, Tensor]:
        weights = super().first_weights(setting)
        extra = {name: torch.zeros(shape) for name, shape in setting.shapes.items() if name not in weights}
        if "W_skip_in" in extra:
            # The product is 0 and learns: of two factors that are 0 neither would.
            drawn = torch.randn(extra["W_skip_in"].shape, generator=torch.Generator().manual_seed(setting.seed + 1))
            extra["W_skip_in"] = drawn / drawn.norm(dim=0, keepdim=True)
        return weights | extra

    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        training = cast("SkipTraining", setting.training)
        past = terms.over_passes(pass_of, lambda made: _past(made.architecture.skip(made.weights, made.x)))
        penalty = Term(name="skip", value=past, coefficient=lambda step: training.skip_penalty)
        return (
            terms.reconstruction(pass_of),
            *terms.sparsity(pass_of, setting),
            *([penalty] if training.skip_penalty else []),
        )

    def remarks(self, variant: Variant) -> Sequence[Remark]:
        degenerate = "identity_literal is degenerate: the reconstruction is perfect where no latent is active"
        message = f"{degenerate}, so its error says nothing of them. Take linear_lowrank or gated."
        params: Any = variant.params
        warnings = [Remark(severity="warning", field="skip_mode", message=message)]
        return (*(warnings if params.skip_mode == "identity_literal" else ()), *super().remarks(variant))

    def constraints(self, setting: Setting) -> Constraints:
        def bounded(weights: Weights, buffers: Weights) -> Weights:
            return {"g_skip": weights["g_skip"].clamp(0, _MOST)} if "g_skip" in weights else {}

        return Constraints(weights=bounded)


def _rank(asked: int | None, width: int) -> int:
    """Of the map past the latents. BadValue where that could be any map."""
    rank = max(1, width // 16) if asked is None else asked
    if rank >= width:
        raise BadValue(
            f"skip_rank={rank} is no low rank of a site with {width} numbers.",
            "Such a map can be the identity, which leaves the latents nothing to do.",
            f"Give one from 1 to {width - 1}.",
            field="skip_rank",
        )
    return rank


def _past(value: Tensor | None) -> Tensor:
    """Mean over inputs of its squared norm."""
    assert value is not None
    return value.square().sum(-1).mean()
