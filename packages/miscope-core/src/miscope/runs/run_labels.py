"""What people call a run and note of it; nothing that is computed depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from miscope.label_text import LONGEST_NOTES, check_tags, check_text

__all__ = ["LONGEST_NAME", "RunLabels"]

LONGEST_NAME = 255
"""Characters."""

_OF = "a run"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunLabels:
    """Of one run. Raises BadValue for what is too long, or a name or tag that is no line of text."""

    name: str = ""
    notes: str = ""
    tags: tuple[str, ...] = ()
    """Words to find it by."""

    def __post_init__(self) -> None:
        check_text("name", self.name, LONGEST_NAME, of=_OF, is_line=True)
        check_text("notes", self.notes, LONGEST_NOTES, of=_OF)
        check_tags(self.tags, of=_OF)
