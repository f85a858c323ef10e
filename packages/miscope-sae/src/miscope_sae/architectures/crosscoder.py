"""Crosscoders over checkpoints: latents that several steps of a training share, each written at each step anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, final

from pydantic import Field

from miscope import Params, Term
from miscope.lazily import torch
from miscope_sae import terms
from miscope_sae.architecture import Architecture, Weights
from miscope_sae.architectures.batch_top_k import kept_by_batch, running_threshold
from miscope_sae.architectures.over_checkpoints import CrosscoderParams, OverCheckpoints, SharedLatents
from miscope_sae.architectures.top_k import auxiliary_of
from miscope_sae.roles import DECODER, THRESHOLD
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import PassOf
from miscope_sae.training import L1Training, TopKTraining
from miscope_sae.updating import Constraints

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["BatchTopKCrosscoderFamily", "BatchTopKCrosscoderParams", "CrosscoderFamily"]


@final
class CrosscoderReLU(SharedLatents):
    """Latents are the positive part of the pre-activations, which all checkpoints add to."""

    def latents(self, weights: Weights, before: Tensor) -> Tensor:
        return torch.relu(before)


@final
class CrosscoderFamily(OverCheckpoints):
    """Squared errors of all checkpoints, and an L1 penalty by the sum of the norms that a latent has at them."""

    name = "sae.crosscoder"
    title = "Crosscoder over checkpoints: ReLU and an L1 penalty"
    training_config = L1Training

    def architecture(self, params: Any, setting: Setting | None) -> Architecture:
        return CrosscoderReLU(checkpoints=len(params.source_steps))

    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        return (terms.reconstruction(pass_of), *terms.sparsity(pass_of, setting))


class _KeptParams(Params):
    """Of latents that are kept by batch."""

    k: Annotated[float, Field(gt=0)] = 8.0
    """Latents an input keeps on average; need not be whole."""


@final
class BatchTopKCrosscoderParams(CrosscoderParams, _KeptParams):
    """And how many latents an input keeps."""


@final
class CrosscoderBatchTopK(SharedLatents):
    """In training the k B largest of a batch of B inputs, by the sum of norms; afterwards those above a threshold."""

    def __init__(self, *, checkpoints: int, k: float) -> None:
        super().__init__(checkpoints=checkpoints)
        self.k = k

    def latents(self, weights: Weights, before: Tensor) -> Tensor:
        return torch.relu(before) * (before > weights[THRESHOLD])

    def latents_in_training(self, weights: Weights, before: Tensor) -> Tensor:
        return kept_by_batch(torch.relu(before), self.norms(weights), self.k)


@final
class BatchTopKCrosscoderFamily(OverCheckpoints):
    """Squared errors of all checkpoints by latents that are kept by batch (Minder et al. 2025)."""

    name = "sae.crosscoder-batchtopk"
    title = "Crosscoder over checkpoints: the k largest latents an input on average"
    params = BatchTopKCrosscoderParams
    training_config = TopKTraining
    held = (5, 5)
    settles = True

    def architecture(self, params: Any, setting: Setting | None) -> Architecture:
        return CrosscoderBatchTopK(checkpoints=len(params.source_steps), k=params.k)

    def shapes(self, width: int, latents: int) -> Mapping[str, tuple[int, ...]]:
        return {**super().shapes(width, latents), THRESHOLD: (latents,)}

    def first_weights(self, setting: Setting) -> dict[str, Tensor]:
        return {**super().first_weights(setting), THRESHOLD: torch.zeros(setting.latents)}

    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        return (terms.reconstruction(pass_of), *auxiliary_of(pass_of, setting))

    def constraints(self, setting: Setting) -> Constraints:
        checkpoints = setting.shapes[DECODER][1] // setting.width
        return running_threshold(CrosscoderReLU(checkpoints=checkpoints).norms)
