"""Sparse autoencoders with an L1 penalty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from miscope import Term
from miscope.lazily import torch
from miscope_sae import terms
from miscope_sae.architecture import Architecture, Weights
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import PassOf
from miscope_sae.training import L1Training

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ReLU", "StandardFamily"]


@final
class ReLU(Architecture):
    """Latents are the positive part of the pre-activations."""

    def latents(self, weights: Weights, before: Tensor) -> Tensor:
        return torch.relu(before)


@final
class StandardFamily(AutoencoderFamily):
    """Squared error plus lambda times the sum of the latents, each weighed by its decoder's norm where that is free."""

    name = "sae.standard"
    title = "Sparse autoencoder: ReLU and an L1 penalty"
    training_config = L1Training
    later_share = 0.2

    def architecture(self, params: Any, setting: Setting | None) -> Architecture:
        return ReLU(centred=params.apply_b_dec_to_input)

    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        return (terms.reconstruction(pass_of), *terms.sparsity(pass_of, setting))
