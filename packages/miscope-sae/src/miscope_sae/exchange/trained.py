"""What was trained here, as other libraries have it: what is kept beside the weights is folded into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from miscope_sae.architecture import Architecture, Weights
from miscope_sae.exchange import plain_autoencoder as plain
from miscope_sae.exchange.folding import scaled, unit_norm
from miscope_sae.exchange.plain_autoencoder import PlainAutoencoder
from miscope_sae.top_k import TopK

if TYPE_CHECKING:
    from miscope_sae.params import Normalisation

__all__ = ["plain_of"]


def plain_of(
    architecture: Architecture,
    weights: Weights,
    *,
    mode: Normalisation,
    scale: float,
    metadata: Mapping[str, object] | None = None,
) -> PlainAutoencoder:
    """The plain autoencoder that gives the same reconstructions of raw activations.

    Its latents are the same too, but those of a TopK: they are times the norms of the decoder, by which they are
    ranked. mode, scale: the normalisation, and what 'constant_norm' multiplies by, which is folded.
    """
    names = plain.tensor_shapes(name := _name(architecture, weights), d_in=0, d_sae=0, d_out=0)
    ranked = isinstance(architecture, TopK)
    coder = PlainAutoencoder(
        architecture=name,
        tensors={each: weights[each] for each in names},
        k=min(architecture.k, weights["W_dec"].shape[0]) if ranked else None,
        apply_b_dec_to_input=architecture.centred,
        normalize_activations="none" if mode == "constant_norm" else mode,
        metadata=metadata or {},
    )
    coder = unit_norm(coder, ranked_by_norm=True) if ranked else coder
    return scaled(coder, scale) if mode == "constant_norm" else coder


def _name(architecture: Architecture, weights: Weights) -> plain.Architecture:
    """What SAELens calls it."""
    if isinstance(architecture, TopK):
        return "topk"
    if "b_gate" in weights:
        return "gated"
    return "jumprelu" if "threshold" in weights else "standard"
