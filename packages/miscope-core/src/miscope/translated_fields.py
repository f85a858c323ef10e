"""What hyperparameters of another program come to in a family's own fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from miscope.field_docs import documented

__all__ = ["TranslatedFields"]


@final
@documented
@dataclass(frozen=True, kw_only=True)
class TranslatedFields:
    """Fields of a family, and what of the other program's has none."""

    fields: Mapping[str, object]
    """Parameters and training fields by name."""
    left_out: tuple[str, ...] = ()
    """What has no counterpart, each with the reason: 'warmup: sae.standard has no such field'."""
