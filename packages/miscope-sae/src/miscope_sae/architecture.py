"""How inputs become latents, and latents inputs again: pure functions of weights, in the normalised space."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias, final

from miscope.errors import BadValue
from miscope.lazily import torch
from miscope_sae.roles import DECODER, DECODER_BIAS, ENCODER, ENCODER_BIAS, THRESHOLD

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AXES", "LATENT", "REQUIRED", "Architecture", "Weights", "check_names", "decoder_norms", "first_weights"]

Weights: TypeAlias = "Mapping[str, Tensor]"

LATENT = "latent"
"""What an axis is called that counts latents."""

AXES: Mapping[str, tuple[str, ...]] = {
    ENCODER: ("input", LATENT),
    ENCODER_BIAS: (LATENT,),
    DECODER: (LATENT, "input"),
    DECODER_BIAS: ("input",),
    THRESHOLD: (LATENT,),
    "b_gate": (LATENT,),
    "b_mag": (LATENT,),
    "r_mag": (LATENT,),
}
"""What each axis of a weight counts, by its name in SAELens."""

REQUIRED = {ENCODER: "(input, latent)", DECODER: "(latent, input)", DECODER_BIAS: "(input)"}
"""Weights that every architecture has, and what their axes count; of a transcoder's decoder what it writes."""


class Architecture(ABC):
    """What an input becomes. Instances are values: two of the same settings do the same."""

    encoder_bias: str = ENCODER_BIAS
    """The weight that is added to the encoded input."""
    skips: bool = False
    """Whether something goes past the latents."""

    def __init__(self, *, centred: bool) -> None:
        """centred: whether the decoder's bias is taken from the input before it is encoded."""
        self.centred = centred

    def before(self, weights: Weights, x: Tensor) -> Tensor:
        """(B, m) pre-activations of (B, d) inputs."""
        bias = weights[self.encoder_bias]
        if not self.centred:
            return torch.addmm(bias, x, weights[ENCODER])
        # What b_dec takes away is of the bias, as far as gradients go: by way of x - b_dec each update would multiply
        # (B, m) by W_enc for the inputs' gradient, of which only the sum is wanted. The values are those of x - b_dec.
        b_dec, known = weights[DECODER_BIAS], weights[DECODER_BIAS].detach()
        return torch.addmm(bias - (b_dec - known) @ weights[ENCODER], x - known, weights[ENCODER])

    @abstractmethod
    def latents(self, weights: Weights, before: Tensor) -> Tensor:
        """(B, m) latents, 0 or positive, as they are once the training is over: each input's by itself."""

    def latents_in_training(self, weights: Weights, before: Tensor) -> Tensor:
        """The same as an update has them, differentiable; may depend on the other inputs of the batch."""
        return self.latents(weights, before)

    def decoded(self, weights: Weights, latents: Tensor) -> Tensor:
        """(B, d_out) what the latents alone reconstruct."""
        return torch.addmm(weights[DECODER_BIAS], latents, weights[DECODER])

    def skip(self, weights: Weights, x: Tensor) -> Tensor | None:
        """(B, d_out) what goes past the latents; None where nothing does."""
        return None

    def norms(self, weights: Weights) -> Tensor:
        """(m,) the size of what each latent writes, by which latents are weighed and ranked."""
        return decoder_norms(weights)

    @final
    def reconstructed(self, weights: Weights, latents: Tensor, x: Tensor) -> Tensor:
        """(B, d_out) reconstructions of (B, d) inputs."""
        decoded, past = self.decoded(weights, latents), self.skip(weights, x)
        return decoded if past is None else decoded + past


def decoder_norms(weights: Weights) -> Tensor:
    """(m,) the norm of each decoder row."""
    return weights[DECODER].norm(dim=1)


def first_weights(shape: tuple[int, int], norm: float, b_dec: Tensor, seed: int) -> dict[str, Tensor]:
    """Decoder rows of random directions and this norm, the encoder their transpose, biases 0 and b_dec.

    shape: width and latents. After SAELens (v6) and Anthropic's update of April 2024.
    """
    width, latents = shape
    drawn = torch.randn(latents, width, generator=torch.Generator().manual_seed(seed))
    decoder = norm * drawn / drawn.norm(dim=1, keepdim=True)
    return {
        ENCODER: decoder.T.contiguous(),
        ENCODER_BIAS: torch.zeros(latents),
        DECODER: decoder,
        DECODER_BIAS: b_dec.clone(),
    }


def check_names(family: str, shapes: Mapping[str, tuple[int, ...]], axes: Mapping[str, tuple[str, ...]]) -> None:
    """BadValue for a family whose weights cannot be found by name. shapes, axes: of each weight."""
    missing = [name for name in REQUIRED if name not in shapes]
    if missing:
        raise BadValue(
            f"{family} has no weight named {' or '.join(missing)}.",
            f"Its weights are: {', '.join(shapes)}; these are read by name in training and by instruments.",
            f"Name them so in `shapes`: {', '.join(f'{name} {counted}' for name, counted in REQUIRED.items())}.",
        )
    unsaid = next((name for name in shapes if name not in axes), None)
    if unsaid is not None:
        raise BadValue(
            f"{family} does not say what the axes of {unsaid} count.",
            f"Its `axes` has: {', '.join(axes)}.",
            "Add it there, as ('latent',).",
        )
