"""Instruments that only make sense of modular addition."""

from __future__ import annotations

from miscope_modadd.analyzers import clock_pizza, interventions, viability

ALL = (clock_pizza.PIZZA, viability.MARGINS, interventions.LEAKAGE)
