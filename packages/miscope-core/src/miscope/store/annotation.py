"""What people note of a variant: tags, notes in Markdown, pinned steps; nothing that is computed depends on it."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Literal, final

from miscope.errors import BadValue, MiscopeError
from miscope.label_text import LONGEST_NOTES, check_tags, check_text

__all__ = [
    "LONGEST_PIN_NOTE",
    "MOST_PINS",
    "Annotation",
    "AnnotationChange",
    "ChangedMeanwhile",
    "PinnedStep",
    "merged",
    "pins_of",
]

_OF = "a variant"
LONGEST_PIN_NOTE, MOST_PINS, _LAST = 200, 100, 10**15
"""Characters of one note; pins of one variant; a step that no training comes to."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PinnedStep:
    """A step that somebody wants to come back to. Raises BadValue for what is no step, or no note on one line."""

    step: int
    """As a plain int, of whatever kind of number it was given."""
    note: str = ""
    """On one line; '' for none."""

    def __post_init__(self) -> None:
        check_text("pins", self.note, LONGEST_PIN_NOTE, of=_OF, is_line=True)
        object.__setattr__(self, "step", _step(self.step, "pins"))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """Of one variant, as it stands. Raises BadValue for notes that are too long, and for what are no tags or pins."""

    tags: tuple[str, ...] = ()
    notes: str = ""
    """Markdown."""
    pins: tuple[PinnedStep, ...] = ()
    """Ascending, each step once."""
    revision: int = 0
    """How often it was written; 0 for never."""
    written: str = ""
    """When, in UTC; '' for never."""

    def __post_init__(self) -> None:
        check_text("notes", self.notes, LONGEST_NOTES, of=_OF)
        check_tags(self.tags, of=_OF)
        steps = [pin.step for pin in self.pins]
        if steps != sorted({*steps}) or len(steps) > MOST_PINS:
            known = f"There are at most {MOST_PINS}, and each step is pinned once."
            raise BadValue("These are no pins of a variant.", known, "Give others.", field="pins")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationChange:
    """What is to be otherwise."""

    tags: tuple[str, ...] | None = None
    """In place of those it has; None: they stay."""
    notes: str | None = None
    pins: tuple[PinnedStep, ...] = ()
    """Beside those it has, and in place of one at the same step."""
    unpin: tuple[int, ...] = ()
    """Steps without a pin from now on; BadValue for what is no step."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "unpin", tuple(_step(step, "unpin") for step in self.unpin))

    def __bool__(self) -> bool:
        return self != AnnotationChange()

    def of(self, before: Annotation) -> Annotation:
        """What was there before, changed. Raises BadValue."""
        pins = {pin.step: pin for pin in (*before.pins, *self.pins) if pin.step not in self.unpin}
        return replace(
            before,
            tags=before.tags if self.tags is None else self.tags,
            notes=before.notes if self.notes is None else self.notes,
            pins=tuple(sorted(pins.values())),
        )


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


def pins_of(notes: Mapping[int, str]) -> tuple[PinnedStep, ...]:
    """{500: "here it memorised"} as pins."""
    return tuple(sorted(PinnedStep(step=step, note=note) for step, note in notes.items()))


def merged(read: Annotation, mine: Annotation, theirs: Annotation) -> Annotation:
    """What stands there by now, with what I made of what I had read; theirs in all but tags and notes, so their pins.

    A tag that either added is there, and one that either took away is not. Where both wrote other notes, theirs stand
    before mine. Raises BadValue where that is more than there may be.
    """
    gone = {*read.tags} - {*mine.tags}
    tags = dict.fromkeys([*(tag for tag in theirs.tags if tag not in gone), *_added(read, mine)])
    return replace(theirs, tags=tuple(tags), notes=_merged_notes(read.notes, mine.notes, theirs.notes))


def _step(given: Any, field: Literal["pins", "unpin"]) -> int:
    """The step as a file holds it: what else counts as a whole number, numpy's or 500.0, could not be read back."""
    found = None if isinstance(given, bool) else _whole(given)
    if found is None or not 0 <= found <= _LAST:
        verb = "pinned" if field == "pins" else "unpinned"
        known = "A step is a whole number from 0 on."
        raise BadValue(f"{given!r} cannot be {verb}.", known, "Give another.", field=field)
    return found


def _whole(given: Any) -> int | None:
    try:
        return operator.index(given)
    except TypeError:
        number = float(given) if isinstance(given, Real) else math.nan
        return int(number) if number.is_integer() else None


def _added(read: Annotation, mine: Annotation) -> list[str]:
    return [tag for tag in mine.tags if tag not in read.tags]


def _merged_notes(read: str, mine: str, theirs: str) -> str:
    if mine in (read, theirs):
        return theirs
    return mine if theirs == read else "\n\n".join(text for text in (theirs, mine) if text)
