"""How a variant was trained in what does not tell it from another: its checkpoints, its evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from miscope.field_text import written_value
from miscope.settings import settings_of
from miscope.store.origin import Origin, origin_of
from miscope.variant import Variant

if TYPE_CHECKING:
    from miscope.store.store import Store

__all__ = ["OTHERWISE", "said_of", "trained_with"]

OTHERWISE = "to have it otherwise, train it under a label (--as NAME) or delete it first."


def trained_with(store: Store, variant: Variant) -> dict[str, Any]:
    """Fields by name, as the variant was trained, where this one of the same identity asks for another; {} for none.

    How many steps it makes is none of them: a training is extended.
    """
    training = variant.training
    if training is None or not store.layout.record(variant.name).exists():
        return {}
    record = store.variant_record(variant.name)
    if record.training is None or origin_of(record.facts) is not Origin.TRAINED:
        return {}
    recording = [name for name in type(training).model_fields if name not in training.identity_fields()]
    stored = {name: record.training[name] for name in recording if name in record.training}
    before = type(training).model_validate({**training.model_dump(mode="json"), **stored})
    was, asked = settings_of(replace(variant, training=before)), settings_of(variant)
    return {name: was[name] for name in recording if name != "steps" and was[name] != asked[name]}


def said_of(fields: Mapping[str, Any]) -> str:
    """'trained with checkpoints=every:1000', of what `trained_with` gives; '' for nothing."""
    return "trained with " * bool(fields) + " ".join(f"{name}={written_value(value)}" for name, value in fields.items())
