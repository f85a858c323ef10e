"""Autoencoders whose thresholds are learned, with a penalty on how many latents are active (Gemma Scope)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast, final

from miscope import ForwardPass, Term
from miscope.lazily import torch
from miscope_sae import terms
from miscope_sae.advice.jump_sizes import bandwidth, first_threshold, l0_strength
from miscope_sae.architecture import Architecture, Weights
from miscope_sae.autoencoder_family import AutoencoderFamily
from miscope_sae.roles import THRESHOLD
from miscope_sae.setting import Setting
from miscope_sae.sparse_pass import PassOf, SparsePass
from miscope_sae.training import JumpReluTraining, SparseTraining
from miscope_sae.updates.dead_latents import IDLE, dead
from miscope_sae.updating import Constraints

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["JumpReLU", "JumpReluFamily"]

_TANH = 4.0
"""Latents times this go into the tanh (Anthropic, January 2025)."""


@final
class JumpReLU(Architecture):
    """Pre-activations above their threshold."""

    def __init__(self, *, centred: bool, bandwidth: float) -> None:
        """bandwidth: of the window in which pre-activations move their threshold, in training."""
        super().__init__(centred=centred)
        self.bandwidth = bandwidth

    def latents(self, weights: Weights, before: Tensor) -> Tensor:
        return before * (before > weights[THRESHOLD])

    def latents_in_training(self, weights: Weights, before: Tensor) -> Tensor:
        from miscope_sae.architectures.straight_through import jump_relu

        return jump_relu(before, weights[THRESHOLD], self.bandwidth)


@final
class JumpReluFamily(AutoencoderFamily):
    """Squared error and the number of active latents, by a straight-through gradient of the thresholds."""

    name = "sae.jumprelu"
    title = "Sparse autoencoder: thresholds that are learned"
    training_config = JumpReluTraining
    held = (3, 4)

    def architecture(self, params: Any, setting: Setting | None) -> Architecture:
        window = 1.0 if setting is None else bandwidth(setting)
        return JumpReLU(centred=params.apply_b_dec_to_input, bandwidth=window)

    def length_fields(self, steps: int) -> dict[str, object]:
        """Sparsity warms up all along."""
        return super().length_fields(steps) | {"sparsity_warmup_steps": steps}

    def usual_training(self, params: Any) -> SparseTraining:
        """Decoder rows of norm 1, so that thresholds are in units of the inputs."""
        return super().usual_training(params).model_copy(update={"decoder_norm": "unit"})

    def shapes(self, width: int, latents: int) -> Mapping[str, tuple[int, ...]]:
        return {**super().shapes(width, latents), THRESHOLD: (latents,)}

    def first_weights(self, setting: Setting) -> dict[str, Tensor]:
        first = torch.full((setting.latents,), first_threshold(setting))
        return {**super().first_weights(setting), THRESHOLD: first}

    def terms(self, pass_of: PassOf, setting: Setting) -> tuple[Term, ...]:
        training = _training(setting)
        strength = l0_strength(setting)
        value = terms.over_passes(pass_of, lambda made: _counted(made, setting).sum(-1).mean())
        if (target := training.target_l0) is not None:
            value = terms.over_passes(pass_of, lambda made: (_counted(made, setting).sum(-1).mean() / target - 1) ** 2)
        sparsity = Term(name="sparsity", value=value, coefficient=setting.warmed(strength))
        return (
            terms.reconstruction(pass_of),
            *([sparsity] if strength else []),
            *([_reviving(pass_of, setting)] if training.pre_act_loss else []),
        )

    def constraints(self, setting: Setting) -> Constraints:
        return Constraints(
            # A negative one would let negative latents pass.
            weights=lambda weights, buffers: {THRESHOLD: weights[THRESHOLD].clamp(min=0)},
            first={THRESHOLD: first_threshold(setting)},
        )


def _training(setting: Setting) -> JumpReluTraining:
    return cast("JumpReluTraining", setting.training)


def _counted(made: SparsePass, setting: Setting) -> Tensor:
    """(B, m) what is penalised of each latent: 1 where it is active, or tanh of four times what it adds."""
    from miscope_sae.architectures.straight_through import step

    if _training(setting).sparsity_mode == "tanh":
        return torch.tanh(_TANH * made.latents * made.norms)
    return step(made.before, made.weights[THRESHOLD], bandwidth(setting))


def _reviving(pass_of: PassOf, setting: Setting) -> Term:
    """Mean over inputs of what dead latents lack to their thresholds, weighed as the sparsity is."""

    def value(seen: ForwardPass) -> Tensor:
        made = pass_of(seen)
        lacking = torch.relu(made.weights[THRESHOLD] - made.before)
        idle = seen.buffers.get(IDLE)
        gone = torch.zeros_like(lacking[0]) if idle is None else dead(idle, seen.step, setting).to(lacking.dtype)
        return terms.weighed(made, setting, lacking * gone)

    strength = _training(setting).pre_act_loss
    return Term(name="pre_act", value=value, coefficient=lambda step: strength)
