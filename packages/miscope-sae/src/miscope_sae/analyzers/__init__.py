"""Instruments of sparse autoencoders: of any network with sites 'hook_sae_*'."""

from __future__ import annotations

from miscope_sae.analyzers import (
    agreement,
    births,
    codability,
    effects,
    latents,
    purity,
    reconstruction,
    source_learning,
    spliced,
    transfer,
)

ALL = (
    reconstruction.RECONSTRUCTION,
    latents.LATENTS,
    purity.PURITY,
    spliced.SPLICED,
    effects.EFFECTS,
    births.BIRTHS,
    source_learning.SOURCE_LEARNING,
    transfer.TRANSFER,
    agreement.AGREEMENT,
    codability.CODABILITY,
)
