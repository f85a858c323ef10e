"""Autoencoders that keep a number of latents, and train dead ones on what is left over (Gao et al. 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast, final

from miscope import Term
from miscope.lazily import torch
from miscope_sae import terms
from miscope_sae.architecture import Architecture, Weights, decoder_norms
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.params import AutoencoderParams, KParams
from miscope_sae.roles import DECODER, DECODER_BIAS
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import PassOf
from miscope_sae.training import TopKTraining

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TopK", "TopKFamily", "TopKParams", "auxiliary_of"]


@final
class TopKParams(AutoencoderParams, KParams):
    """And how many latents an input keeps."""


@final
class TopK(Architecture):
    """The k largest pre-activations of each input, 0 for negative ones."""

    def __init__(self, *, centred: bool, k: int, by_norm: bool = True) -> None:
        """by_norm: whether each is weighed by the norm of its decoder row when they are ranked."""
        super().__init__(centred=centred)
        self.k, self.by_norm = k, by_norm

    def latents(self, weights: Weights, before: Tensor) -> Tensor:
        active = torch.relu(before)
        if self.k >= active.shape[1]:
            return active
        ranked = active.detach() * decoder_norms(weights).detach() if self.by_norm else active.detach()
        _, kept = ranked.topk(self.k, dim=1, sorted=False)
        return torch.zeros_like(active).scatter(1, kept, active.gather(1, kept))

    def decoded(self, weights: Weights, latents: Tensor) -> Tensor:
        from miscope_sae.architectures.sparse_product import sparse_product

        return weights[DECODER_BIAS] + sparse_product(latents, weights[DECODER], self.k)


@final
class TopKFamily(AutoencoderFamily):
    """Squared error; which latents an input has is decided by their number."""

    name = "sae.topk"
    title = "Sparse autoencoder: the k largest latents of each input"
    params = TopKParams
    training_config = TopKTraining
    held = (4, 4)

    def architecture(self, params: Any, setting: Setting | None) -> Architecture:
        # Other libraries rank by the pre-activations alone, or their norms are folded when they are read.
        return TopK(centred=params.apply_b_dec_to_input, k=params.k, by_norm=params.imported is None)

    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        return (terms.reconstruction(pass_of), *auxiliary_of(pass_of, setting))


def auxiliary_of(pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
    """The term by which dead latents learn; () where it counts nothing."""
    training = cast("TopKTraining", setting.training)
    return (terms.auxiliary(pass_of, setting, training.aux_alpha, training.aux_k),) if training.aux_alpha else ()
