"""Names of the sites of every autoencoder, as SAELens calls its hook points."""

from __future__ import annotations

__all__ = ["BEFORE", "BY_LATENTS", "BY_SKIP", "ERROR", "INPUT", "LATENTS", "RECONSTRUCTED", "TARGET"]

INPUT, TARGET = "hook_sae_input", "hook_sae_target"
"""What is encoded, and what is to be reconstructed: of an autoencoder the same."""
BEFORE, LATENTS = "hook_sae_acts_pre", "hook_sae_acts_post"
RECONSTRUCTED, ERROR = "hook_sae_recons", "hook_sae_error"
BY_LATENTS, BY_SKIP = "hook_sae_recons_latents", "hook_sae_recons_skip"
"""Of an architecture that skips: what the latents reconstruct alone, and what is reconstructed where none is active."""
