"""While the browser draws one step, the server draws the one that comes next."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import final

from miscope.failure import tried
from miscope_panel.page.errands import Errands
from miscope_panel.shown.picture import Request

__all__ = ["DrawingAhead"]

_LONG = 0.5
"""Seconds; a view that takes longer would be in the way of what somebody waits for, and is not drawn ahead again."""


@final
class DrawingAhead:
    """Draws, on one thread at most, what the cards show one step on in the direction that the cursor moves.

    draw: keeps what it draws.
    """

    def __init__(self, errands: Errands, draw: Callable[[Request], object]) -> None:
        self._errands, self._draw = errands, draw
        self._steps: Sequence[int] = ()
        self._place: int | None = None
        self._next: int | None = None
        self._wanted: tuple[Request, ...] = ()
        self._slow: set[str] = set()
        self._serial = 0
        self._busy = False

    def move(self, steps: Sequence[int], step: int | None) -> None:
        """The cursor stands at the step, one of these; what was to be drawn for another is dropped."""
        place = steps.index(step) if step in steps else None
        if (steps, place) == (self._steps, self._place):
            return
        by = place - self._place if steps == self._steps and place is not None and self._place is not None else 0
        ahead = None if place is None or not by else place + by
        self._steps, self._place, self._serial, self._wanted = steps, place, self._serial + 1, ()
        self._next = steps[ahead] if ahead is not None and 0 <= ahead < len(steps) else None

    def follow(self, shown: Sequence[Request]) -> None:
        """The cards show these by now: draw the same of the step that comes next."""
        if self._next is not None:
            self._wanted = tuple(replace(each, step=self._next) for each in shown if each.view not in self._slow)
            self._go()

    def _go(self) -> None:
        if self._wanted and not self._busy:
            self._busy, wanted, self._wanted = True, self._wanted, ()
            # What fails is told by its card, once somebody asks for it; there is more to draw in any case.
            work = partial(tried, partial(self._draw_each, wanted, self._serial))
            self._errands.send(work, lambda _: self._rest())

    def _draw_each(self, requests: Sequence[Request], serial: int) -> None:
        """On a thread; no further once the cursor has moved on."""
        for request in requests:
            if serial != self._serial or not self._errands.stands:
                return
            began = time.monotonic()
            self._draw(request)
            if time.monotonic() - began > _LONG:
                self._slow.add(request.view)

    def _rest(self) -> None:
        self._busy = False
        self._go()
