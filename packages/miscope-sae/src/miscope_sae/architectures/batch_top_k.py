"""Autoencoders that keep a number of latents a batch, and those above a threshold later (Bussmann et al. 2024)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, final

from miscope import Term
from miscope.lazily import torch
from miscope_sae import terms
from miscope_sae.architecture import Architecture, Weights, decoder_norms
from miscope_sae.architectures.top_k import TopKParams, auxiliary_of
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.roles import DECODER, DECODER_BIAS, THRESHOLD
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import PassOf, SparsePass
from miscope_sae.training import THRESHOLD_RATE, TopKTraining
from miscope_sae.updating import Constraints

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["BatchTopK", "BatchTopKFamily", "KeptByBatchFamily", "kept_by_batch", "running_threshold"]

LEAST_KEPT = "least_kept"


@final
class BatchTopK(Architecture):
    """In training the k B largest of a batch of B inputs, each weighed by the norm of its decoder row; afterwards those
    above a threshold, so that what an input has does not depend on others."""

    def __init__(self, *, centred: bool, k: int) -> None:
        super().__init__(centred=centred)
        self.k = k

    def latents(self, weights: Weights, before: Tensor) -> Tensor:
        return torch.relu(before) * (before > weights[THRESHOLD])

    def latents_in_training(self, weights: Weights, before: Tensor) -> Tensor:
        return kept_by_batch(torch.relu(before), self.norms(weights), self.k)

    def decoded(self, weights: Weights, latents: Tensor) -> Tensor:
        from miscope_sae.architectures.sparse_product import sparse_product

        return weights[DECODER_BIAS] + sparse_product(latents, weights[DECODER], self.k)


class KeptByBatchFamily(AutoencoderFamily):
    """Which latents the inputs of a batch have is decided by their mean number, and once trained by a threshold."""

    params = TopKParams
    training_config = TopKTraining
    held = (5, 5)
    settles = True
    later_share = 0.5

    def architecture(self, params: Any, setting: Setting | None) -> Architecture:
        return BatchTopK(centred=params.apply_b_dec_to_input, k=params.k)

    def shapes(self, width: int, latents: int) -> Mapping[str, tuple[int, ...]]:
        return {**super().shapes(width, latents), THRESHOLD: (latents,)}

    def first_weights(self, setting: Setting) -> dict[str, Tensor]:
        return {**super().first_weights(setting), THRESHOLD: torch.zeros(setting.latents)}

    def constraints(self, setting: Setting) -> Constraints:
        return running_threshold()


@final
class BatchTopKFamily(KeptByBatchFamily):
    """Squared error of latents that are kept by batch."""

    name = "sae.batchtopk"
    title = "Sparse autoencoder: the k largest latents an input on average"

    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        return (terms.reconstruction(pass_of), *auxiliary_of(pass_of, setting))


def kept_by_batch(active: Tensor, norms: Tensor, k: float) -> Tensor:
    """(B, m) latents of which the k B largest stay, each weighed by its (m,) norm; the others are 0."""
    from miscope_sae.architectures.largest import largest

    count = max(1, round(k * len(active)))
    if count >= active.numel():
        return active
    ranked = (active.detach() * norms.detach()).flatten()
    return active * torch.zeros_like(ranked).scatter(0, largest(ranked, count), 1.0).view_as(active)


def running_threshold(norms_of: Callable[[Weights], Tensor] = decoder_norms) -> Constraints:
    """A running mean of the least latent that a batch keeps, as a threshold for each latent once it is trained.

    In double precision; the threshold of a latent is that over its norm.
    """

    def observe(made: SparsePass, buffers: Weights) -> Weights:
        from torch.nn.functional import threshold

        ranked = made.latents * made.norms
        least, known = threshold(ranked, 0.0, torch.inf).min().double(), buffers[LEAST_KEPT]
        if bool(least.isinf()):
            return {LEAST_KEPT: known}
        return {LEAST_KEPT: least if bool(known < 0) else known + THRESHOLD_RATE * (least - known)}

    def weights(weights: Weights, buffers: Weights) -> Weights:
        norms = norms_of(weights).clamp(min=1e-8)
        return {THRESHOLD: (buffers[LEAST_KEPT].clamp(min=0) / norms).to(norms.dtype)}

    # Below 0 as long as no batch was seen.
    return Constraints(
        buffers=lambda: {LEAST_KEPT: torch.tensor(-1.0, dtype=torch.float64)}, observe=observe, weights=weights
    )
