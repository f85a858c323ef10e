"""What the store says of a variant without asking its family, which may not be installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

__all__ = ["VariantRecord"]


@final
@dataclass(frozen=True, kw_only=True)
class VariantRecord:
    """A variant as its variant.json has it: plain values."""

    name: str
    """'modadd.transformer/p113-seed999-dseed598'."""
    family: str
    params: Mapping[str, object]
    training: Mapping[str, object] | None
    digest: str
    label: str | None = None
    """What tells it from another of the same parameters and training."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """Where it comes from: library versions, device, an imported file's SHA-256."""

    @property
    def slug(self) -> str:
        return self.name.partition("/")[2]
