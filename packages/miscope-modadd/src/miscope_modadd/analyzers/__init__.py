"""Instruments that only make sense of modular addition."""

from __future__ import annotations

from miscope_modadd.analyzers import clock_pizza, viability

ALL = (clock_pizza.PIZZA, viability.MARGINS)
