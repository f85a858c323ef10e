"""What the store says of a variant without asking its family, which may not be installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from miscope.training_config import TrainingConfig
from miscope.variant import Variant

__all__ = ["VariantRecord", "unlike"]


@final
@dataclass(frozen=True, kw_only=True)
class VariantRecord:
    """A variant as its variant.json has it: plain values."""

    name: str
    """'modadd.transformer/p113-seed999-dseed598'."""
    written_as: str
    """The name it was saved under; another where the folder was copied or renamed since."""
    family: str
    params: Mapping[str, object]
    training: Mapping[str, object] | None
    digest: str
    label: str | None = None
    """What tells it from another of the same parameters and training."""
    parents: tuple[str, ...] = ()
    """Digests of what it is built on."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """Where it comes from: library versions, device, an imported file's SHA-256."""

    @property
    def slug(self) -> str:
        return self.name.partition("/")[2]


def unlike(record: VariantRecord, variant: Variant) -> str:
    """In which fields a record and a variant differ, as a sentence."""
    identity = set((variant.training or TrainingConfig).identity_fields())
    training = {} if variant.training is None else variant.training.model_dump(mode="json", include=identity)
    wanted = {**variant.params.model_dump(mode="json"), **training}
    stored = {**record.params, **{name: value for name, value in (record.training or {}).items() if name in identity}}
    other = [name for name in {**stored, **wanted} if repr(stored.get(name)) != repr(wanted.get(name))]
    if not other:
        return f"It has digest {record.digest}, and this one {variant.digest}."
    has, wants = (", ".join(f"{name}={values.get(name)!r}" for name in other) for values in (stored, wanted))
    return f"It has {has}; this one has {wants}."
