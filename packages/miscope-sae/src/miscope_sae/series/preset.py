"""Hyperparameters that come with this package, as studies that say not yet what they are built on."""

from __future__ import annotations

from typing import Any

from miscope.studies.shipped import ShippedStudies

__all__ = ["PRESETS", "preset_fields"]

PRESETS = ShippedStudies("miscope_sae", "miscope sae presets")


def preset_fields(name: str) -> dict[str, Any]:
    """The fields of a preset, and 'architecture', the name of its family; UnknownName for none."""
    values = PRESETS.study(name).values
    return {"architecture": values["family"], **values["base"]}
