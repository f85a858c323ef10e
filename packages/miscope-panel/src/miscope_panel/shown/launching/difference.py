"""In what two forms differ, field by field. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

__all__ = ["Difference", "differences"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field that is not the same."""

    field: str
    before: str
    """What stands in it; "" for its default."""
    after: str


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Difference, ...]:
    """The fields in which they differ: those of the first in their order, then the others."""
    names = dict.fromkeys([*before, *after])
    both = [Difference(field=name, before=before.get(name, ""), after=after.get(name, "")) for name in names]
    return tuple(each for each in both if each.before != each.after)
