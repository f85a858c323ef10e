"""Instruments of sparse autoencoders: of any network with sites 'hook_sae_*'."""

from __future__ import annotations

from miscope_sae.analyzers import latents, purity, reconstruction

ALL = (
    reconstruction.RECONSTRUCTION,
    latents.LATENTS,
    purity.PURITY,
)
