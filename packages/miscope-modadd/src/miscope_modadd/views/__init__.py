"""Figures that only make sense of modular addition."""

from __future__ import annotations

from miscope_modadd.views import clock_pizza, interventions, viability

ALL = (*clock_pizza.VIEWS, *viability.VIEWS, *interventions.VIEWS)
