"""Names of the weights that autoencoders have in common, as SAELens calls them."""

from __future__ import annotations

__all__ = ["DECODER", "DECODER_BIAS", "ENCODER", "ENCODER_BIAS", "THRESHOLD"]

ENCODER, ENCODER_BIAS = "W_enc", "b_enc"
DECODER, DECODER_BIAS = "W_dec", "b_dec"
THRESHOLD = "threshold"
"""Above which a latent is active, of an architecture that has one for each."""
