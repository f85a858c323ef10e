"""Figures of sparse autoencoders."""

from __future__ import annotations

from miscope_sae.views import at_a_step, maps, over_training

ALL = (
    *over_training.VIEWS,
    *at_a_step.VIEWS,
    *maps.VIEWS,
)
