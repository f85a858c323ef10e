"""Where the cursor is, and what cards have in common as its bar has it: their clock, scale, event marks, stages."""

from __future__ import annotations

from dataclasses import replace
from typing import final

import param

from miscope.view import EVENT_MARKS, SAME_SCALE, STEP_SCALE
from miscope_panel.page.cursor import Cursor
from miscope_panel.shown.selection import Place, Selection
from miscope_panel.shown.shared_controls import CURSOR, step_scale

__all__ = ["CursorAxes"]

_KEPT = {
    "spacing": ("spacing", "linear"),
    "between": ("between", ""),
    "clock": (STEP_SCALE.name, STEP_SCALE.options[0]),
    "event_marks": (EVENT_MARKS.name, True),
    "same_scale": (SAME_SCALE.name, True),
    "shows_stages": ("stages", True),
}
"""What of the cursor the address has: by what, and what needs no word there."""


@final
class CursorAxes:
    """Keeps in the address what is turned on the bar, and has the bar show it, while its page is looked at."""

    def __init__(self, selection: Selection, cursor: Cursor) -> None:
        self._selection, self._cursor = selection, cursor
        cursor.param.watch(self._turn, ["asked", *_KEPT])

    def follow(self, place: Place) -> None:
        """Show what the place has."""
        turned = place.controls_of(CURSOR)
        self._cursor.change(
            clock=step_scale(place),
            event_marks=turned.get(EVENT_MARKS.name) != "false",
            same_scale=turned.get(SAME_SCALE.name) != "false",
            shows_stages=turned.get("stages") != "off",
        )

    def _turn(self, *events: param.parameterized.Event) -> None:
        """Go where the cursor is and was turned: all of it at once, for to follow a part takes the rest back."""
        place = self._selection.place
        for event in events:
            if event.name == "asked":
                place = replace(place, step=event.new)
            elif self._cursor.active:
                control, stays = _KEPT[event.name]
                place = place.turn(CURSOR, control, None if event.new == stays else _text(event.name, event.new))
        if place != self._selection.place:
            self._selection.place = place


def _text(name: str, value: str | bool) -> str:
    """As the address writes what was turned."""
    return value if isinstance(value, str) else "off" if name == "shows_stages" else "false"
