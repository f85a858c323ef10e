"""The runs that were started from the form, read anew about once a second while they go on and are looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any, final

import panel as pn

from miscope.failure import Failure, tried
from miscope_panel.page.launch.launch_view import LaunchView
from miscope_panel.page.page_record import PageContext
from miscope_panel.shown.launching.starting import Started
from miscope_panel.shown.launching.watched_runs import WatchedRun, watched

__all__ = ["MOST", "StartedRuns"]

_EVERY = 700
"""Milliseconds from one look to the next."""
MOST = 12
"""Runs that are shown; the page of jobs has all."""


@final
class StartedRuns:
    """Shows the last start in the component."""

    def __init__(self, context: PageContext, component: LaunchView, over: Callable[[], None]) -> None:
        """over: called when all of them have ended."""
        self._context, self._component, self._over = context, component, over
        self._component.started = {"jobs": "jobs" in context.server.pages.pages}
        self._document = pn.state.curdoc
        self.numbers: tuple[int, ...] = ()
        self._going = False
        """Whether something may still become of one."""
        self._visible = False
        self._under_way = False
        self._timer: Any = None

    def add(self, made: Started | Failure) -> None:
        """Say what became of a start."""
        self._component.started = {
            **self._component.started, "words": words_of(made), "refused": isinstance(made, Failure),
        }  # fmt: skip

    def watch(self, numbers: tuple[int, ...]) -> None:
        """Show these runs, and have them read for as long as they go on."""
        if numbers != self.numbers:
            self.numbers, self._going = numbers, bool(numbers)
            self._component.runs = []
            self.read()
            self._set_timer()

    def look(self, *, visible: bool) -> None:
        """Whether somebody looks at them now."""
        if visible != self._visible:
            self._visible = visible
            if visible:
                # One that had ended may have been resumed on another page.
                self._going = bool(self.numbers)
                self.read()
            self._set_timer()

    def read(self) -> None:
        """Look how far they are, on a thread."""
        if self._going and not self._under_way:
            self._under_way = True
            work = partial(watched, self._context.server.workspace, self._context.server.queue, self.numbers)
            self._context.errands.send(partial(tried, work), partial(self._show, self.numbers))

    def _show(self, numbers: tuple[int, ...], found: tuple[WatchedRun, ...] | Failure) -> None:
        self._under_way = False
        if numbers != self.numbers or isinstance(found, Failure):
            return
        self._component.runs = [asdict(run) for run in found]
        self._going = any(not run.ended for run in found)
        self._set_timer()
        if not self._going:
            self._over()

    def _set_timer(self) -> None:
        """Have it read for as long as there is something to see, and somebody to see it."""
        wanted = self._going and self._visible and self._document is not None
        if self._document is None or wanted == (self._timer is not None):
            return
        if wanted:
            self._timer = self._document.add_periodic_callback(self.read, _EVERY)
        else:
            self._document.remove_periodic_callback(self._timer)
            self._timer = None


def words_of(made: Started | Failure) -> list[str]:
    """What became of a start, in sentences."""
    if isinstance(made, Failure):
        return made.error.splitlines()
    trained = sum(run.kind == "train" for run in made.runs)
    analyzed = len(made.runs) - trained
    parts = [
        f"{count} {one if count == 1 else many}"
        for count, one, many in ((trained, "training", "trainings"), (analyzed, "analysis", "analyses"))
        if count
    ]
    queued = f"{' and '.join(parts) or 'Nothing'} in the queue" + (
        f", as the study {made.study}." if made.study else "."
    )
    there = (
        "1 training was finished before." if made.skipped == 1 else f"{made.skipped} trainings were finished before."
    )
    more = [f"The first {MOST} are shown here."] if len(made.runs) > MOST else []
    return [queued[0].upper() + queued[1:], *([there] if made.skipped else []), *more]
