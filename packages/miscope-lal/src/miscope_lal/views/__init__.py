"""Figures of routing."""

from __future__ import annotations

from miscope_lal.views import at_a_step, maps, over_training

ALL = (*maps.VIEWS, *over_training.VIEWS, *at_a_step.VIEWS)
