"""The studies that come with this package: those of Least Action Learning, and some that grok within minutes."""

from __future__ import annotations

from miscope.studies.shipped import ShippedStudies

__all__ = ["PRESETS"]

PRESETS = ShippedStudies("miscope_lal", "miscope lal presets")
