"""Autoencoders that decide by one encoder whether a latent is active, and by another how much (Rajamanoharan 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast, final

from miscope import Term
from miscope.lazily import torch
from miscope_sae import terms
from miscope_sae.architecture import Architecture, Weights
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.roles import DECODER, DECODER_BIAS, ENCODER
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import PassOf, SparsePass
from miscope_sae.training import L1Training, SparseTraining

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Gated", "GatedFamily"]


@final
class Gated(Architecture):
    """Active where the gate's pre-activation is positive; the size from the same directions, rescaled."""

    encoder_bias = "b_gate"

    def latents(self, weights: Weights, before: Tensor) -> Tensor:
        from miscope_sae.architectures.straight_through import above

        sizes = (before - weights["b_gate"]) * weights["r_mag"].exp() + weights["b_mag"]
        return torch.relu(sizes) * above(before, torch.zeros_like(before[:1]))


@final
class GatedFamily(AutoencoderFamily):
    """Squared error, an L1 penalty on the gate, and the error of what the gate alone would reconstruct."""

    name = "sae.gated"
    title = "Sparse autoencoder: a gate, and sizes beside it"
    training_config = L1Training
    held = (5, 9)

    def architecture(self, params: Any, setting: Setting | None) -> Architecture:
        return Gated(centred=params.apply_b_dec_to_input)

    def usual_training(self, params: Any) -> SparseTraining:
        """Decoder rows of norm 1, as in the paper: free ones, which learn nothing of the gate's error, would shrink."""
        return super().usual_training(params).model_copy(update={"decoder_norm": "unit"})

    def shapes(self, width: int, latents: int) -> Mapping[str, tuple[int, ...]]:
        plain = super().shapes(width, latents)
        return {name: plain[name] for name in (ENCODER, DECODER, DECODER_BIAS)} | {
            name: (latents,) for name in _PER_LATENT
        }

    def first_weights(self, setting: Setting) -> dict[str, Tensor]:
        plain = super().first_weights(setting)
        zeros = {name: torch.zeros(setting.latents) for name in _PER_LATENT}
        return {name: plain[name] for name in (ENCODER, DECODER, DECODER_BIAS)} | zeros

    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        training = cast("L1Training", setting.training)
        strength = terms.l1_strength(setting, training.l1_alpha, training.rho, training.expected_l0)
        gate = terms.over_passes(pass_of, gate_sum)
        penalty = Term(name="sparsity", value=gate, coefficient=setting.warmed(strength))
        alone = Term(name="gate_reconstruction", value=terms.over_passes(pass_of, gate_error))
        return (terms.reconstruction(pass_of), alone, *([penalty] if strength else []))


_PER_LATENT = ("b_gate", "b_mag", "r_mag")


def gate_sum(made: SparsePass) -> Tensor:
    """Mean over inputs of the gate's positive part, weighed by decoder norms that learn nothing of it."""
    return (torch.relu(made.before) @ made.norms.detach()).mean()


def gate_error(made: SparsePass) -> Tensor:
    """Mean over inputs of |x - x'|^2 of the gate's positive part, decoded by a decoder that learns nothing of it.

    Rajamanoharan et al. 2024 (arXiv 2404.16014), equation 8.
    """
    decoder, bias = made.weights[DECODER].detach(), made.weights[DECODER_BIAS].detach()
    return (torch.addmm(bias, torch.relu(made.before), decoder) - made.target).square().sum(-1).mean()
