"""Cards that lack what was never computed: offered to be computed, shown how far that is, drawn when it is done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any, final

from miscope.analyze_request import AnalyzeRequest
from miscope.analyzer import Grain
from miscope.errors import MiscopeError
from miscope.failure import Failure, tried
from miscope.runs.queued_run import Place, QueuedRun
from miscope.runs.run_folder import RunFolder
from miscope.runs.run_state import ENDED
from miscope.runs.submitting import submit_chains
from miscope_panel.page.card import Card
from miscope_panel.page.job_actions import Asked, JobActions
from miscope_panel.page.listening import Listening
from miscope_panel.page.paced import Paced
from miscope_panel.page.page_record import PageContext
from miscope_panel.page.run_watch import Heard
from miscope_panel.shown.computing_told import computing_told, run_for, runs_of
from miscope_panel.shown.files_changed import CHECKPOINTS, FilesChanged
from miscope_panel.shown.lack import Lack, lack_of, read_by
from miscope_panel.shown.picture import Picture, Request
from miscope_panel.shown.run_trouble import traceback_in

__all__ = ["Computing"]

_FAR_BACK = 400
"""Lines of a log among which a traceback is looked for."""
_RECOUNTS_TAKE = 0.1
"""Of the time at most: to count what is missing, the variant's model is made."""
_ASKED = frozenset({"stop", "cancel", "resume", "retry"})


@final
@dataclass(frozen=True, kw_only=True)
class _Shown:
    """What a card shows."""

    request: Request
    lack: Lack | None
    """What was not computed of it; None too until that is known."""
    tells: bool = False
    """Whether it says so."""
    again: Callable[[], None]
    """Has the picture made anew."""
    due: bool = False
    """Whether a run has ended since it was made, so that it is made anew, or what it lacks could not be found out."""


@final
class Computing:
    """Of one page of cards. What is under way the queue says, to everybody alike, and after a reload too."""

    def __init__(self, context: PageContext) -> None:
        self._server, self._errands = context.server, context.errands
        self._actions = JobActions(context.server)
        self._asking = threading.Lock()
        self._serial = count(1)
        """Numbers what a card is told: of two equal values in a row the browser would hear the first alone."""
        self._shown: dict[Card, _Shown] = {}
        self._runs: dict[int, QueuedRun] = {}
        """Analyses of the queue."""
        self._old: set[Card] = set()
        """Cards of which more or less may be missing than they say."""
        self._recounts = Paced(self._recount, share=_RECOUNTS_TAKE)
        self._listening = Listening(context, self._take)

    def look(self, *, looked_at: bool) -> None:
        """Listen to what happens to runs, or be still."""
        self._listening.look(looked_at=looked_at)

    def keep(self, cards: Iterable[Card]) -> None:
        """These are open; what was known of others is dropped."""
        there = {*cards}
        self._shown = {card: shown for card, shown in self._shown.items() if card in there}

    def shown(self, card: Card, request: Request, made: Picture, again: Callable[[], None] | None = None) -> None:
        """The card shows this picture: find out what it lacks, where anything can be done about it.

        again: has the picture made anew, where the card itself does not make it.
        """
        before = self._shown.get(card)
        known = before is not None and not before.due and _apart_from_step(before.request) == _apart_from_step(request)
        lack = before.lack if before is not None and known else None
        now = _Shown(request=request, lack=lack, again=again or card.again)
        self._shown[card] = replace(now, tells=self._tells(request, made))
        if known or not self._shown[card].tells:
            self._tell([card])
        if not known:
            work = partial(tried, partial(lack_of, self._server.workspace, request))
            self._errands.send(work, partial(self._found, card, request))

    def _tells(self, request: Request, made: Picture) -> bool:
        """Whether the card shows less than it would if all were computed."""
        view = self._server.workspace.plugins.views[request.view]
        of_several = bool(request.compared) and view.grain is not Grain.COHORT
        partly = of_several or bool(made.note) or (view.grain is not Grain.CHECKPOINT and bool(view.needs.history))
        return made.state == "missing" or (made.state == "figure" and partly)

    def _found(self, card: Card, request: Request, lack: Lack | Failure | None) -> None:
        now = self._shown.get(card)
        if now is not None and _apart_from_step(now.request) == _apart_from_step(request):
            if isinstance(lack, Failure):
                # Looked for once more with the next picture.
                self._shown[card] = replace(now, lack=None, due=True)
                return
            self._shown[card] = replace(now, lack=lack)
            self._tell([card])
            if lack is None and card.picture.get("state") == "missing" and self._reads_artifacts(card):
                # Computed while the picture was made. It is not looked for a second time: the request is known.
                now.again()

    # --- what a training adds to it

    def renew(self, files: FilesChanged) -> None:
        """Count anew what cards lack of these: of other checkpoints other artifacts are missing."""
        old, urgent = set[Card](), False
        for card, shown in self._shown.items():
            analyzers, variants = self._reads(card)
            of = files.of(variants)
            if shown.tells and of.parts & {CHECKPOINTS, *analyzers}:
                old.add(card)
                urgent = urgent or bool(of.rested)
        if old:
            self._old |= old
            self._recounts.want(urgent=urgent)

    def _recount(self) -> None:
        old, self._old = self._old, set[Card]()
        asked = {card: self._shown[card].request for card in old if card in self._shown}

        def count() -> dict[Card, tuple[Request, Lack | None]]:
            workspace = self._server.workspace
            return {card: (request, lack_of(workspace, request)) for card, request in asked.items()}

        self._errands.send(partial(tried, count), self._recounted)

    def _recounted(self, counted: Mapping[Card, tuple[Request, Lack | None]] | Failure) -> None:
        if not isinstance(counted, Failure):
            for card, (request, lack) in counted.items():
                self._found(card, request, lack)
        self._recounts.done()

    def _tell(self, cards: Iterable[Card]) -> None:
        for card in list(cards):
            now = self._shown.get(card)
            lack = now.lack if now is not None and now.tells else None
            run = None if lack is None else run_for(lack, self._runs.values())
            card.computing = computing_told(lack, run, locked=self._actions.locked)

    # --- what happens to runs

    def _take(self, heard: Heard) -> None:
        if not self._listening.begun:
            return
        if heard.anew:
            self._errands.send(self._queued, self._take_all)
            return
        self._know(heard.runs)

    def _queued(self) -> list[QueuedRun] | MiscopeError:
        try:
            return self._server.queue.runs()
        except MiscopeError as error:
            return error

    def _take_all(self, read: list[QueuedRun] | MiscopeError) -> None:
        """At first, and where the queue was made anew: a run may have ended since the pictures were made."""
        if not isinstance(read, MiscopeError):
            self._know({run.id: run for run in read})

    def _know(self, runs: Mapping[int, QueuedRun]) -> None:
        """These as they stand now; what may have been computed by one of them is looked for where it was missing."""
        for run in runs.values():
            self._put(run)
        ended = [run for run in runs.values() if run.state in ENDED]
        short = [
            card
            for card, shown in self._shown.items()
            if shown.lack or shown.due or card.picture.get("state") == "missing"
        ]
        again = [card for card in short if runs_of(ended, *self._reads(card))]
        for card in again:
            self._shown[card] = replace(self._shown[card], due=True)
        # Of cards that are made together once.
        for make in dict.fromkeys(self._shown[card].again for card in again):
            make()
        self._tell(card for card in self._shown if card not in again and runs_of(runs.values(), *self._reads(card)))

    def _put(self, run: QueuedRun) -> None:
        if run.deleted:
            self._runs.pop(run.id, None)
        elif isinstance(run.request, AnalyzeRequest):
            self._runs[run.id] = run

    def _reads(self, card: Card) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Analyzers and variants of what the card shows."""
        request, views = self._shown[card].request, self._server.workspace.plugins.views
        return views[request.view].needs.artifacts, (request.variant, *request.compared)

    def _reads_artifacts(self, card: Card) -> bool:
        return bool(read_by(self._server.workspace.plugins.views[self._shown[card].request.view]))

    # --- what a visitor asks

    def hear(self, card: Card, message: Mapping[str, Any]) -> None:
        """A card was pressed."""
        shown = self._shown.get(card)
        lack = shown.lack if shown is not None else None
        match message:
            case {"about": "compute", "of": str(of)} if lack is not None:
                request = lack.of_family if of == "family" and lack.of_family else lack.request
                self._errands.send(partial(tried, partial(self._submit, request)), partial(self._told, card))
            case {"about": "run", "action": str(action), "id": int(number)} if action in _ASKED:
                ask = partial(self._actions.ask, action, (number,))
                self._errands.send(partial(tried, ask), partial(self._told, card))
            case {"about": "trace", "id": int(number)}:
                self._errands.send(partial(tried, partial(self._trace, number)), partial(self._show_trace, card))

    def _submit(self, request: AnalyzeRequest) -> Asked:
        """Put it into the queue; what is under way already, of a second press too, is not asked for again."""
        if self._actions.locked:
            return Asked(text=self._actions.locked, is_problem=True)
        try:
            with self._asking:
                ((run,),) = submit_chains(self._server.workspace, self._server.queue, [[request]], Place())
        except MiscopeError as error:
            return Asked(text=str(error), is_problem=True)
        self._server.summon()
        return Asked(text=f"Run {run.id} is in the queue.")

    def _told(self, card: Card, asked: Asked | Failure) -> None:
        asked = Asked(text=asked.error, is_problem=True) if isinstance(asked, Failure) else asked
        card.computing_said = {"text": asked.text, "is_problem": asked.is_problem, "serial": next(self._serial)}

    def _trace(self, number: int) -> str:
        return traceback_in(RunFolder(self._server.queue.layout, number).tail(_FAR_BACK))

    def _show_trace(self, card: Card, trace: str | Failure) -> None:
        text = trace.error if isinstance(trace, Failure) else trace or "Its log has no traceback."
        card.computing_said = {"trace": text, "serial": next(self._serial)}


def _apart_from_step(request: Request) -> tuple[object, ...]:
    """Moving the cursor changes nothing about what a variant lacks."""
    return request.view, request.variant, request.compared, request.controls
