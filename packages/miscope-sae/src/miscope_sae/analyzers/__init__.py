"""Instruments of sparse autoencoders: of any network with sites 'hook_sae_*'."""

from __future__ import annotations

from miscope_sae.analyzers import (
    agreement,
    births,
    births_agreed,
    births_found,
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
    births_agreed.BIRTHS_AGREED,
    births_found.BIRTHS_FOUND,
    source_learning.SOURCE_LEARNING,
    transfer.TRANSFER,
    agreement.AGREEMENT,
    codability.CODABILITY,
)
