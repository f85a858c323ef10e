"""What people call a run and note of it; nothing that is computed depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from miscope.errors import BadValue

__all__ = ["LONGEST_NAME", "LONGEST_NOTES", "LONGEST_TAG", "MOST_TAGS", "RunLabels"]

LONGEST_NAME, LONGEST_NOTES, LONGEST_TAG = 255, 10_000, 64
"""Characters."""
MOST_TAGS = 100


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RunLabels:
    """Of one run. Raises BadValue for what is too long, or a name or tag that is no line of text."""

    name: str = ""
    notes: str = ""
    tags: tuple[str, ...] = ()
    """Words to find it by."""

    def __post_init__(self) -> None:
        _check("name", self.name, LONGEST_NAME, is_line=True)
        _check("notes", self.notes, LONGEST_NOTES, is_line=False)
        for tag in self.tags:
            _check("tags", tag, LONGEST_TAG, is_line=True)
        if "" in self.tags or len({*self.tags}) < len(self.tags) or len(self.tags) > MOST_TAGS:
            known = f"There are at most {MOST_TAGS}, each of them once, and none is empty."
            raise BadValue("These are no tags of a run.", known, "Give others.", field="tags")


def _check(field: str, text: str, longest: int, *, is_line: bool) -> None:
    is_blank = is_line and text != "" and not text.strip()
    if len(text) > longest or "\0" in text or is_blank or (is_line and len(text.splitlines()) > 1):
        known = f"It has at most {longest:,} characters{' on one line' if is_line else ''}, and none of them is NUL."
        if is_blank:
            known = "It has nothing but spaces."
        raise BadValue(f"That cannot be the {field} of a run.", known, "Give another.", field=field)
