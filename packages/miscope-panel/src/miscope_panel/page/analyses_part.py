"""Which analyses there are of which variants, and a rectangle of what is missing put into the queue."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import count
from typing import Any, final

from miscope.analyze_request import AnalyzeRequest
from miscope.failure import Failure, tried
from miscope.runs.queued_run import Place, QueuedRun
from miscope.runs.run_state import ENDED, RunState
from miscope.runs.submitting import arranged, submit_chains
from miscope_panel.page.analysis_grid import AnalysisGrid
from miscope_panel.page.job_actions import Asked, JobActions
from miscope_panel.page.listening import Listening
from miscope_panel.page.page_record import PageContext
from miscope_panel.page.run_watch import Heard
from miscope_panel.shown.analyses_wanted import requests_for
from miscope_panel.shown.analysis_cells import AnalysisRow, analysis_row, analyzer_names

__all__ = ["AnalysesPart"]

_ROWS = 20
"""Variants of one page: to tell what is missing of one, its model is made."""


@final
class AnalysesPart:
    """Reads row by row while it is looked at."""

    def __init__(self, context: PageContext, actions: JobActions) -> None:
        self._server, self._errands, self._actions = context.server, context.errands, actions
        self._start, self._find = 0, ""
        self._turn = 0
        """Counts what was asked for, so that rows of a page that was left are dropped."""
        self._serial = count(1)
        """Numbers what the browser is told: of two equal values in a row it would hear the first alone."""
        self._asking = threading.Lock()
        self._listening = Listening(context, self._take)
        self.grid = AnalysisGrid(locked=actions.locked, visible=False, sizing_mode="stretch_width", margin=0)
        self.grid.on_message = self._hear

    def look(self, *, looked_at: bool) -> None:
        """Read and listen, or be still."""
        self._turn += self._listening.begun and not looked_at
        self._listening.look(looked_at=looked_at)

    def _take(self, heard: Heard) -> None:
        """An analysis that began or ended changes the rows of its variants."""
        if not self._listening.begun:
            return
        if heard.anew:
            self._read()
        elif heard.moved:
            of = {name for run in heard.runs.values() for name in getattr(run.request, "variants", (run.what,))}
            here = [name for name in self.grid.shown["variants"] if name in of]
            if here:
                self._next(self._turn, here)

    def _read(self) -> None:
        self._turn += 1
        work = partial(tried, partial(self._names, self._start, self._find))
        self._errands.send(work, partial(self._begin, self._turn))

    def _names(self, start: int, find: str) -> dict[str, Any]:
        words = find.casefold().split()
        names = [name for name in self._server.workspace.names() if all(word in name.casefold() for word in words)]
        analyzers = [*analyzer_names(self._server.workspace)]
        return {
            "start": start,
            "page": _ROWS,
            "total": len(names),
            "variants": names[start : start + _ROWS],
            "analyzers": analyzers,
            "find": find,
        }

    def _begin(self, turn: int, shown: dict[str, Any] | Failure) -> None:
        if isinstance(shown, Failure):
            self._told(Asked(text=shown.error, is_problem=True))
        elif turn == self._turn:
            self.grid.shown = shown
            self._next(turn, shown["variants"])

    def _next(self, turn: int, names: list[str]) -> None:
        """One row after the other, so that one who turns the page waits for none of the others."""
        if names and turn == self._turn:
            self._errands.send(partial(self._row, names[0]), partial(self._show, turn, names[1:]))

    def _row(self, name: str) -> AnalysisRow:
        """What there is of it; what its family's code raises, whatever it is, is this row's problem alone."""

        def read() -> AnalysisRow:
            runs = self._server.queue.runs(frozenset(RunState) - ENDED)
            return analysis_row(self._server.workspace, name, runs)

        row = tried(read)
        if isinstance(row, Failure):
            return AnalysisRow(variant=name, cells={}, problem=row.error.partition("\n")[0])
        return row

    def _show(self, turn: int, others: list[str], row: AnalysisRow) -> None:
        if turn == self._turn:
            self.grid.row = {**asdict(row), "serial": next(self._serial)}
            self._next(turn, others)

    def _hear(self, message: dict[str, Any]) -> None:
        match message:
            case {"kind": "page", "start": int(start), "find": str(find)}:
                self._start, self._find = max(start, 0), find
                self._read()
            case {"kind": "queue", "wanted": dict(wanted)}:
                self._errands.send(partial(self._queue, wanted), self._told)

    def _queue(self, wanted: Mapping[str, Any]) -> Asked:
        if self._actions.locked:
            return Asked(text=self._actions.locked, is_problem=True)
        named = {str(variant): [str(each) for each in some] for variant, some in wanted.items()}
        runs = tried(lambda: self._submitted(requests_for(named)))
        if isinstance(runs, Failure):
            return Asked(text=runs.error, is_problem=True)
        self._server.summon()
        count = sum(map(len, named.values()))
        numbers = ", ".join(str(run.id) for run in runs)
        what = f"{count:,} {'analysis is' if count == 1 else 'analyses are'} in the queue"
        return Asked(text=f"{what}, as run {numbers}." if runs else "Nothing was chosen.", is_problem=not runs)

    def _submitted(self, requests: Sequence[AnalyzeRequest]) -> list[QueuedRun]:
        """All of them or none; what is under way already, of a second click too, is not asked for again."""
        workspace, queue = self._server.workspace, self._server.queue
        with self._asking:
            for request in requests:
                arranged(workspace, queue, request, Place())
            return [run for (run,) in submit_chains(workspace, queue, [[each] for each in requests], Place())]

    def _told(self, asked: Asked) -> None:
        self.grid.said = {"text": asked.text, "is_problem": asked.is_problem, "serial": next(self._serial)}
