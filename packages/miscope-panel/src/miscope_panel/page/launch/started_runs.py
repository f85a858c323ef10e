"""The runs that were started from the form, as they go on, while they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from typing import Any, final

from miscope.errors import UnknownName
from miscope.failure import Failure, tried
from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_state import ENDED
from miscope_panel.page.launch.launch_view import LaunchView
from miscope_panel.page.page_record import PageContext
from miscope_panel.page.run_watch import Heard
from miscope_panel.shown.launching.starting import Started
from miscope_panel.shown.loss_curves import run_curves
from miscope_panel.shown.queue_shown import card_dict

__all__ = ["MOST", "StartedRuns"]

MOST = 12
"""Runs that are shown; the page of jobs has all."""


@final
class StartedRuns:
    """Shows the last start in the component."""

    def __init__(self, context: PageContext, component: LaunchView, over: Callable[[], None]) -> None:
        """over: called when all of them have ended."""
        self._context, self._component, self._over = context, component, over
        self._component.started = {"jobs": "jobs" in context.server.pages.pages}
        self.numbers: tuple[int, ...] = ()
        self._runs: Mapping[int, QueuedRun] = {}
        self._serial = count(1)
        """Numbers what the browser is told: of two equal values in a row it would hear the first alone."""
        self._under_way = self._again = False
        self._leave: Callable[[], None] | None = None

    def add(self, made: Started | Failure) -> None:
        """Say what became of a start."""
        self._component.started = {
            **self._component.started, "words": words_of(made), "refused": isinstance(made, Failure),
        }  # fmt: skip

    def watch(self, numbers: tuple[int, ...]) -> None:
        """Show these runs, and follow them."""
        if numbers != self.numbers:
            self.numbers, self._runs = numbers, {}
            self._component.runs = []
            self.read()

    def look(self, *, visible: bool) -> None:
        """Whether somebody looks at them now."""
        if visible and self._leave is None:
            self._leave = self._context.server.watch.listen(self._context.errands.hand, self.hear)
            self.read()
        elif not visible and self._leave is not None:
            self._leave()
            self._leave = None

    def hear(self, heard: Heard) -> None:
        """What happened to runs since."""
        if self._leave is not None and (heard.anew or heard.runs.keys() & set(self.numbers)):
            self.read()

    def read(self) -> None:
        """Look how far they are, on a thread; once at a time, and once more where something happened meanwhile."""
        if not self.numbers or self._under_way:
            self._again = self._under_way
            return
        self._under_way, self._again = True, False
        self._context.errands.send(
            partial(tried, partial(self._found, self.numbers)), partial(self._show, self.numbers)
        )

    def curve(self, number: int) -> None:
        """Send the losses of one of them."""
        run = self._runs.get(number)
        if run is not None:
            work = partial(run_curves, self._context.server.workspace, run)
            self._context.errands.send(work, partial(self._show_curve, number))

    def _found(self, numbers: tuple[int, ...]) -> dict[int, QueuedRun]:
        """Those that are in the queue no more are left out."""
        found = {}
        for number in numbers:
            try:
                found[number] = self._context.server.queue.run(number)
            except UnknownName:
                continue
        return found

    def _show(self, numbers: tuple[int, ...], found: dict[int, QueuedRun] | Failure) -> None:
        self._under_way = False
        if numbers == self.numbers and not isinstance(found, Failure):
            before, self._runs = self._runs, found
            self._component.runs = [card_dict(run) for run in found.values()]
            if _over(found) and not _over(before):
                self._over()
        if self._again or numbers != self.numbers:
            self.read()

    def _show_curve(self, number: int, curves: dict[str, Any]) -> None:
        self._component.curve = {"id": number, "curves": curves, "serial": next(self._serial)}


def _over(runs: Mapping[int, QueuedRun]) -> bool:
    return bool(runs) and all(run.state in ENDED for run in runs.values())


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
