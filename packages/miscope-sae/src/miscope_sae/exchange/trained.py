"""What was trained here, as other libraries have it: what is kept beside the weights is folded into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from miscope.errors import BadValue
from miscope.lazily import torch
from miscope_sae.architecture import Architecture, Weights
from miscope_sae.architectures.batch_top_k import BatchTopK
from miscope_sae.architectures.gated import Gated
from miscope_sae.architectures.jump_relu import JumpReLU
from miscope_sae.architectures.skip import SkipReLU
from miscope_sae.architectures.standard import ReLU
from miscope_sae.architectures.top_k import TopK
from miscope_sae.architectures.transcoder import Transcoder
from miscope_sae.exchange import plain_autoencoder as plain
from miscope_sae.exchange.folding import scaled, unit_norm
from miscope_sae.exchange.plain_autoencoder import PlainAutoencoder
from miscope_sae.roles import DECODER, DECODER_BIAS, ENCODER, ENCODER_BIAS

if TYPE_CHECKING:
    from miscope_sae.params import Normalisation
    from miscope_sae.rows.normalisation import Scale

__all__ = ["plain_of"]

_NAMES: Mapping[type[Architecture], plain.Architecture] = {
    ReLU: "standard",
    JumpReLU: "jumprelu",
    BatchTopK: "jumprelu",
    TopK: "topk",
    Gated: "gated",
    SkipReLU: "skip_transcoder",
}
"""Once they are trained: those kept by batch then have thresholds."""


def plain_of(
    architecture: Architecture,
    weights: Weights,
    *,
    mode: Normalisation,
    scales: Sequence[Scale],
    metadata: Mapping[str, object] | None = None,
) -> PlainAutoencoder:
    """The plain autoencoder that gives the same reconstructions of raw activations.

    Its latents are the same too, but those of a TopK that ranks them by the norms of the decoder: they are times these.
    mode, scales: the normalisation, and what 'constant_norm' multiplies inputs and, of a transcoder, outputs
    by, which is folded. BadValue of an architecture that other libraries have not, or of something past the latents of
    inputs that are each normalised by themselves.
    """
    weights = _with_skip(architecture, weights, mode)
    names = plain.tensor_shapes(name := _name(architecture), d_in=0, d_sae=0, d_out=0)
    coder = PlainAutoencoder(
        architecture=name,
        tensors={each: weights[each] for each in names},
        k=min(architecture.k, weights[DECODER].shape[0]) if isinstance(architecture, TopK) else None,
        apply_b_dec_to_input=architecture.centred and not isinstance(architecture, SkipReLU),
        normalize_activations="none" if mode == "constant_norm" else mode,
        metadata=metadata or {},
    )
    coder = unit_norm(coder, ranked_by_norm=True) if isinstance(architecture, TopK) and architecture.by_norm else coder
    if mode != "constant_norm":
        return coder
    first, last = float(scales[0]), float(scales[-1])
    return scaled(coder, first, s_out=last if coder.is_transcoder else None)


def _with_skip(architecture: Architecture, weights: Weights, mode: Normalisation) -> Weights:
    """What goes past the latents as one matrix, as SAELens has it; a bias taken off first is in the encoder's."""
    if not isinstance(architecture, SkipReLU):
        return weights
    if mode not in ("none", "constant_norm"):
        raise BadValue(
            f"An autoencoder with a way past its latents and the normalisation {mode!r} has no form in SAELens.",
            "It is a transcoder there, behind which no normalisation is undone.",
            "Export one trained with normalize_activations=constant_norm or none.",
            field="normalize_activations",
        )
    past = architecture.skip(weights, torch.eye(len(weights[DECODER_BIAS]), dtype=weights[DECODER_BIAS].dtype))
    moved = (
        weights[ENCODER_BIAS] - weights[DECODER_BIAS] @ weights[ENCODER]
        if architecture.centred
        else weights[ENCODER_BIAS]
    )
    return {**weights, "W_skip": past.T.contiguous(), ENCODER_BIAS: moved}


def _name(architecture: Architecture) -> plain.Architecture:
    """What SAELens calls it."""
    if isinstance(architecture, Transcoder):
        return "skip_transcoder" if architecture.skips else "transcoder"
    if (found := _NAMES.get(type(architecture))) is None:
        raise BadValue(
            f"{type(architecture).__name__} is no architecture of other libraries.",
            f"Those that have a name there: {', '.join(kind.__name__ for kind in _NAMES)}.",
            "Export an autoencoder of one of these.",
        )
    return found
