"""Figures of sparse autoencoders."""

from __future__ import annotations

from miscope_sae.views import (
    agreement,
    at_a_step,
    births,
    births_agreed,
    births_found,
    codability,
    effects,
    maps,
    over_training,
    spliced,
    transfer,
)

ALL = (
    *over_training.VIEWS,
    *at_a_step.VIEWS,
    *maps.VIEWS,
    *spliced.VIEWS,
    *effects.VIEWS,
    *births.VIEWS,
    *births_agreed.VIEWS,
    *births_found.VIEWS,
    *transfer.VIEWS,
    *agreement.VIEWS,
    *codability.VIEWS,
)
