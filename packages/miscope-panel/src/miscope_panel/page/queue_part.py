"""The queue on the page of jobs: what works, waits, failed and is done, as it happens; and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any, final

from miscope.commands import in_workspace
from miscope.failure import Failure, tried
from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_folder import RunFolder
from miscope_panel.page.job_actions import Asked, JobActions
from miscope_panel.page.jobs_board import JobsBoard
from miscope_panel.page.launch.template_actions import TEMPLATES
from miscope_panel.page.page_record import PageContext
from miscope_panel.page.run_watch import Heard
from miscope_panel.shown.loss_curves import run_curves
from miscope_panel.shown.queue_shown import FIRST, card_dict, queue_shown
from miscope_panel.shown.run_configuration import configuration
from miscope_panel.shown.run_trouble import traceback_in

__all__ = ["QueuePart"]

_TAIL, _FAR_BACK = 60, 400
"""Lines of a log that are shown, and among which a traceback is looked for."""


@final
@dataclass(kw_only=True)
class _Known:
    """What this page knows of the queue; kept while it is looked at."""

    runs: dict[int, QueuedRun] = field(default_factory=dict)
    heard: dict[int, QueuedRun] = field(default_factory=dict)
    """Runs that changed since the list of all was last asked for."""
    asked: int = 0
    """How often the list was asked for."""
    most: dict[str, int] = field(default_factory=dict)
    seen: frozenset[int] | None = None
    """Runs whose cards are in sight; None before the browser has said so: any may be."""
    logs: set[int] = field(default_factory=set)
    """Runs whose log is unfolded."""


@final
class QueuePart:
    """Listens while somebody looks at it, and is still otherwise."""

    def __init__(self, context: PageContext, actions: JobActions) -> None:
        self._server, self._selection, self._errands = context.server, context.selection, context.errands
        self._actions = actions
        self._known = _Known()
        self._only = ""
        self._serial = count(1)
        """Numbers what the browser is told: of two equal values in a row it would hear the first alone."""
        self._leave: Callable[[], None] | None = None
        self.board = JobsBoard(locked=actions.locked, sizing_mode="stretch_width", margin=0)
        self.board.on_message = self._hear

    def look(self, *, looked_at: bool, only: str) -> None:
        """Listen, or be still. only: the one section that is looked at; '' for all."""
        changed, self._only = only != self._only, only
        if looked_at and self._leave is None:
            self._leave = self._server.watch.listen(self._errands.hand, self._take)
        elif not looked_at and self._leave is not None:
            self._leave()
            self._leave = None
        elif looked_at and changed:
            self._show()

    def _take(self, heard: Heard) -> None:
        """What the server's one reader of the journal says."""
        if self._leave is None:
            return
        if heard.anew:
            self._known.asked += 1
            self._known.heard = {}
            self._errands.send(self._read, partial(self._show_read, self._known.asked))
            return
        self._known.heard.update(heard.runs)
        self._put(heard.runs)
        if heard.moved:
            self._show()
        else:
            self._tell(heard.runs if self._known.seen is None else heard.runs.keys() & self._known.seen)
        for number in self._known.logs & heard.runs.keys():
            self._send_detail(number, "log")

    def _tell(self, numbers: Iterable[int]) -> None:
        """How far these are, where the browser has their cards."""
        runs, cards = self._known.runs, self.board.shown["cards"]
        changed = {str(n): card_dict(runs[n]) for n in numbers if n in runs and str(n) in cards}
        if changed:
            self.board.changed = changed

    def _see(self, numbers: frozenset[int]) -> None:
        """These cards are in sight by now: of those that were not, the browser may know less than there is."""
        before, self._known.seen = self._known.seen, numbers
        self._tell(numbers - before if before is not None else ())

    def _put(self, runs: Mapping[int, QueuedRun]) -> None:
        """These as they stand now."""
        self._known.runs.update(runs)
        for number in [number for number, run in runs.items() if run.deleted]:
            del self._known.runs[number]
            self._known.logs.discard(number)

    def _read(self) -> list[QueuedRun] | Failure:
        return tried(self._server.queue.runs)

    def _show_read(self, asked: int, read: list[QueuedRun] | Failure) -> None:
        if asked != self._known.asked:  # a later one is under way, or came first
            return
        if isinstance(read, Failure):
            self.board.shown = {**self.board.shown, "notice": read.error.splitlines()}
            return
        self._known.runs = {run.id: run for run in read}
        self._put(self._known.heard)
        self._show()

    def _show(self) -> None:
        runs = self._known.runs.values()
        shown = queue_shown(runs, self._known.most, self._only)
        train = in_workspace(self._server.workspace.root, "miscope train FAMILY --queue")
        none = [
            f"No runs are {each['title'].lower()}."
            for each in shown.sections
            if each["name"] == self._only and not each["count"]
        ]
        notice = none if runs else ["No jobs yet.", f"Ask for a training on the page Launch, or type:  {train}"]
        self.board.shown = {**asdict(shown), "notice": notice}

    def _hear(self, message: dict[str, Any]) -> None:
        match message:
            case {"kind": "ask", "action": str(action), "ids": [*ids]}:
                self._ask(partial(self._actions.ask, action, _numbers(ids)))
            case {"kind": "move", "id": int(number), "by": int(by)}:
                self._ask(partial(self._actions.move, number, by))
            case {"kind": "restore", "ids": [*ids]}:
                self._ask(partial(self._actions.restore, _numbers(ids)))
            case {"kind": "open", "id": int(number)}:
                self._open(number)
            case {"kind": "go", "to": str(to)}:
                launch = replace(self._selection.place, page="launch")
                self._selection.place = launch.turn("launch", TEMPLATES, "open" if to == "templates" else None)
            case {"kind": "curve", "id": int(number)}:
                self._errands.send(partial(self._curves, number), partial(self._show_curves, number))
            case {"kind": "detail", "id": int(number), "about": str(about), "open": bool(is_open)}:
                self._unfold(number, about, is_open=is_open)
            case _:
                self._hear_of_list(message)

    def _hear_of_list(self, message: dict[str, Any]) -> None:
        """Which of the cards are looked at."""
        match message:
            case {"kind": "seen", "ids": [*ids]}:
                self._see(frozenset(_numbers(ids)))
            case {"kind": "more", "section": str(section)}:
                self._known.most[section] = self._known.most.get(section, FIRST) + 2 * FIRST
                self._show()
            case {"kind": "show", "section": str(section)}:
                self._selection.place = self._selection.place.turn("jobs", "show", section or None)

    def _ask(self, work: Callable[[], Asked]) -> None:
        self._errands.send(work, self._told)

    def _told(self, asked: Asked) -> None:
        said = {"text": asked.text, "is_problem": asked.is_problem, "undo": list(asked.undo)}
        self.board.said = {**said, "serial": next(self._serial)}

    def _open(self, number: int) -> None:
        run = self._known.runs.get(number)
        if run is not None and (variant := card_dict(run)["variant"]):
            self._selection.move(page="views", variant=variant, compared=(), step=None)

    def _curves(self, number: int) -> dict[str, Any]:
        run = self._known.runs.get(number)
        return {} if run is None else run_curves(self._server.workspace, run)

    def _show_curves(self, number: int, curves: dict[str, Any]) -> None:
        self.board.curve = {"id": number, "curves": curves, "serial": next(self._serial)}

    def _unfold(self, number: int, about: str, *, is_open: bool) -> None:
        if about == "log":
            (self._known.logs.add if is_open else self._known.logs.discard)(number)
        if is_open and number in self._known.runs:
            self._send_detail(number, about)

    def _send_detail(self, number: int, about: str) -> None:
        run = self._known.runs[number]
        self._errands.send(partial(tried, partial(self._detail, run, about)), partial(self._take_detail, run, about))

    def _take_detail(self, run: QueuedRun, about: str, told: dict[str, Any] | Failure) -> None:
        """What a family's code raises, whatever it is, is told in the place of what was asked for."""
        if isinstance(told, Failure):
            lines = told.error.splitlines()
            parts = [{"title": lines[0], "rows": []}] if about == "configuration" else []
            told = {"id": run.id, "about": about, "parts": parts, "texts": {}, "lines": lines}
        self._show_detail(told)

    def _detail(self, run: QueuedRun, about: str) -> dict[str, Any]:
        told: dict[str, Any] = {"id": run.id, "about": about}
        if about == "configuration":
            found = configuration(self._server.workspace, run)
            parts = [{"title": part.title, "rows": [list(row) for row in part.rows]} for part in found.parts]
            return {**told, "parts": parts, "texts": dict(found.texts)}
        lines = RunFolder(self._server.queue.layout, run.id).tail(_TAIL if about == "log" else _FAR_BACK)
        return {**told, "lines": lines if about == "log" else traceback_in(lines).splitlines()}

    def _show_detail(self, told: dict[str, Any]) -> None:
        self.board.detail = {**told, "serial": next(self._serial)}


def _numbers(ids: Sequence[object]) -> tuple[int, ...]:
    """Those that can be numbers of runs: what a browser says is checked."""
    return tuple(each for each in ids if isinstance(each, int) and not isinstance(each, bool))
