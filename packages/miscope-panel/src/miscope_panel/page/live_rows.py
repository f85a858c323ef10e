"""The rows of the table of variants while trainings go on: read anew as something happens, each where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import final

from miscope.tabulating.showing import ShownTable
from miscope_panel.page.listening import Listening
from miscope_panel.page.paced import Paced
from miscope_panel.page.page_record import PageContext
from miscope_panel.page.run_watch import Heard

__all__ = ["LiveRows", "in_their_places"]


@final
class LiveRows:
    """Has the rows read while somebody looks at them, one reading at a time."""

    def __init__(self, context: PageContext, read: Callable[[], None]) -> None:
        """read: reads what is shown as it is by now; whoever is done with that calls `done`."""
        # Of a thousand variants one reading takes a good part of a second.
        self._paced = Paced(read, share=0.2)
        self._listening = Listening(context, self.hear)
        self._first = False

    def look(self, *, looked_at: bool) -> None:
        """Listen, or be still."""
        if looked_at and not self._listening.begun:
            self._first = True
        elif not looked_at and self._listening.begun:
            self._paced.stop()
        self._listening.look(looked_at=looked_at)

    def hear(self, heard: Heard) -> None:
        """What happened to runs since."""
        first, self._first = self._first, False
        if not self._listening.begun or (first and heard.anew and not heard.told.running):
            # What there was when one began to listen the page has just read.
            return
        urgent = heard.moved or heard.anew or bool(heard.noted)
        if urgent or heard.runs:
            self._paced.want(urgent=urgent)

    def done(self) -> None:
        """What was read is shown, or was in vain."""
        self._paced.done()


def in_their_places(before: ShownTable, now: ShownTable) -> ShownTable:
    """The rows as they are now in the order of before, so that none is taken from under the pointer; new ones last."""
    found = {row.variants: row for row in now.rows}
    stay = [found.pop(row.variants) for row in before.rows if row.variants in found]
    return replace(now, rows=(*stay, *found.values()))
