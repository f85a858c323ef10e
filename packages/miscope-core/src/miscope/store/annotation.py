"""What people note of a variant: tags to find it by, and notes in Markdown; nothing that is computed depends on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from miscope.errors import MiscopeError
from miscope.label_text import LONGEST_NOTES, check_tags, check_text

__all__ = ["Annotation", "ChangedMeanwhile", "merged"]

_OF = "a variant"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Of one variant, as it stands. Raises BadValue for notes that are too long, and for what are no tags."""

    tags: tuple[str, ...] = ()
    notes: str = ""
    """Markdown."""
    revision: int = 0
    """How often it was written; 0 for never."""
    written: str = ""
    """When, in UTC; '' for never."""

    def __post_init__(self) -> None:
        check_text("notes", self.notes, LONGEST_NOTES, of=_OF)
        check_tags(self.tags, of=_OF)


@final
class ChangedMeanwhile(MiscopeError):
    """Tags and notes were to be changed as they were read, and are others by now."""

    def __init__(self, name: str, revision: int) -> None:
        """revision: of what was read."""
        self.name, self.revision = name, revision
        super().__init__(
            f"The tags and notes of {name} are others by now.",
            "Somebody changed them after they were read, and nothing was written over that.",
            "Read them again, and change what they are then.",
        )


def merged(read: Annotation, mine: Annotation, theirs: Annotation) -> Annotation:
    """What stands there by now, with what I made of what I had read; theirs in all but tags and notes.

    A tag that either added is there, and one that either took away is not. Where both wrote other notes, theirs stand
    before mine. Raises BadValue where that is more than there may be.
    """
    gone = {*read.tags} - {*mine.tags}
    tags = dict.fromkeys([*(tag for tag in theirs.tags if tag not in gone), *_added(read, mine)])
    return replace(theirs, tags=tuple(tags), notes=_merged_notes(read.notes, mine.notes, theirs.notes))


def _added(read: Annotation, mine: Annotation) -> list[str]:
    return [tag for tag in mine.tags if tag not in read.tags]


def _merged_notes(read: str, mine: str, theirs: str) -> str:
    if mine in (read, theirs):
        return theirs
    return mine if theirs == read else "\n\n".join(text for text in (theirs, mine) if text)
