"""What is said of a study that cannot be run as it is written."""

from __future__ import annotations

from typing import final

from miscope.errors import MiscopeError

__all__ = ["BadStudy"]


@final
class BadStudy(MiscopeError):
    """A study's file that is none, or that says what no study, family or run takes."""

    def __init__(self, place: str, what: str, *sentences: str, field: str = "") -> None:
        """place: 'sweep.yaml, line 7'. sentences: what is known, and what to do.

        field: whose value is refused; "" where that is none, or not one alone.
        """
        self.place, self.field = place, field
        super().__init__(f"{place}: {what}", *sentences)
