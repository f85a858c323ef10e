"""Instruments of sparse autoencoders: of any network with sites 'hook_sae_*'."""

from __future__ import annotations

from miscope_sae.analyzers import agreement, effects, latents, purity, reconstruction, spliced, transfer

ALL = (
    reconstruction.RECONSTRUCTION,
    latents.LATENTS,
    purity.PURITY,
    spliced.SPLICED,
    effects.EFFECTS,
    transfer.TRANSFER,
    agreement.AGREEMENT,
)
