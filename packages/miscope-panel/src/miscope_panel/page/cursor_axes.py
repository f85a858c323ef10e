"""What all cards over training have in common, as the cursor bar has it: their clock, event marks, stages."""

from __future__ import annotations

from typing import final

from miscope_panel.page.cursor import Cursor
from miscope_panel.shown.selection import Place, Selection
from miscope_panel.shown.shared_controls import CURSOR

__all__ = ["CursorAxes"]


@final
class CursorAxes:
    """Keeps in the address what is turned on the bar, and has the bar show it, while its page is looked at."""

    def __init__(self, selection: Selection, cursor: Cursor) -> None:
        self._selection, self._cursor = selection, cursor
        cursor.param.watch(lambda *events: self._turn(), ["clock", "event_marks", "shows_stages"])

    def follow(self, place: Place) -> None:
        """Show what the place has."""
        turned = place.controls_of(CURSOR)
        self._cursor.param.update(
            clock="log" if turned.get("clock") == "log" else "linear",
            event_marks=turned.get("events") != "false",
            shows_stages=turned.get("stages") != "off",
        )

    def _turn(self) -> None:
        cursor, place = self._cursor, self._selection.place
        there = place.turn(CURSOR, "clock", None if cursor.clock == "linear" else cursor.clock)
        there = there.turn(CURSOR, "events", None if cursor.event_marks else "false")
        there = there.turn(CURSOR, "stages", None if cursor.shows_stages else "off")
        if there != place:
            self._selection.place = there
