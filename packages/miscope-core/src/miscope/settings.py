"""What a variant is, setting by setting."""

from __future__ import annotations

from typing import Any

from miscope.schedule import parse_schedule, written
from miscope.variant import Variant

__all__ = ["settings_of", "settings_that_count"]


def settings_of(variant: Variant) -> dict[str, Any]:
    """Every parameter and every field of the training by name, defaults included, as a study's file says them."""
    training = {} if variant.training is None else variant.training.model_dump(mode="json")
    if variant.training is not None:
        schedule = variant.training.checkpoints
        text = written(schedule)
        # Of an adaptive one the text says less than there is.
        training["checkpoints"] = text if parse_schedule(text) == schedule else training["checkpoints"]
    return {**variant.params.model_dump(mode="json"), **training}


def settings_that_count(variant: Variant) -> dict[str, Any]:
    """Those of them that mean something to the optimizer and the schedule chosen, for people to read."""
    idle = () if variant.training is None else variant.training.idle_fields()
    return {name: value for name, value in settings_of(variant).items() if name not in idle}
