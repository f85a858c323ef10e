"""Work done on threads for one page, whose results come back to it on the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import partial
from typing import TypeVar, cast, final
from weakref import ref

import panel as pn
from panel.io.document import unlocked

from miscope.errors import MiscopeError

__all__ = ["Errands", "attempted"]

T = TypeVar("T")


@final
class Errands:
    """Sends work off and hands each result over where models may be touched."""

    def __init__(self, pool: Executor) -> None:
        self._pool, self._document = pool, pn.state.curdoc
        self._results: deque[Callable[[], None]] = deque()
        self._early: deque[Callable[[], None]] = deque()
        """Those that a page may be fetched with."""
        self._announced = False
        """Whether they are to be delivered at the next turn of the event loop."""
        self._loaded = self._document is None
        if self._document is not None:
            self._loop = asyncio.get_running_loop()
            # A change made while the browser still fetches the page can miss it, so results wait for this. Panel keeps
            # what it is given for as long as the document lives, which must not be for as long as this does.
            pn.state.onload(partial(_open, ref(self)))

    def send(
        self, work: Callable[[], T], then: Callable[[T], None], on: Executor | None = None, *, early: bool = False
    ) -> None:
        """Do the work on a thread; give its result to `then` on the page's event loop, if the page still stands.

        on: threads for what takes long; None for those on which figures are made. early: `then` sets values of
        components that are on the page alone, which a browser that has not fetched it yet gets with it.
        """
        (on or self._pool).submit(self._do, work).add_done_callback(partial(self._come_back, then, early))

    def hand(self, then: Callable[[], None]) -> bool:
        """Have it called on the page's event loop, from whatever thread; whether the page still stands."""
        if self.stands:
            self._bring(then)
        return self.stands

    def later(self, seconds: float, then: Callable[[], None]) -> None:
        """Have it called on the page's event loop, from which this is called, so much later, if the page still stands.

        Without a page there is no event loop, and it is not called.
        """
        if self._document is not None:
            self._loop.call_later(seconds, self.hand, then)

    @property
    def stands(self) -> bool:
        """Whether there is a page to come back to."""
        return self._document is None or self._document.session_context is not None

    def _do(self, work: Callable[[], T]) -> T | None:
        """On a thread, maybe long after it was sent: nothing for a page that was closed meanwhile."""
        return work() if self.stands else None

    def _come_back(self, then: Callable[[T], None], early: bool, made: Future[T | None]) -> None:
        if not made.cancelled() and self.stands:
            self._bring(partial(then, cast("T", made.result())), early=early)

    def _bring(self, result: Callable[[], None], *, early: bool = False) -> None:
        # Once the page is there they are delivered in the order in which they come.
        (self._early if early and not self._loaded else self._results).append(result)
        if self._document is None:
            self._deliver()
        else:
            # The document is touched on the event loop alone: a session that is being made there would hear of a
            # callback that a thread adds meanwhile, and then find it a second time, and be refused.
            with suppress(RuntimeError):  # the loop was closed this moment, with the server
                self._loop.call_soon_threadsafe(self._announce)

    def _announce(self) -> None:
        """On the event loop: have the results delivered where models may be touched, all that are there by then."""
        if self._document is not None and self.stands and not self._announced:
            self._document.add_next_tick_callback(self._deliver)
            self._announced = True

    def open(self) -> None:
        """Deliver what waited for the page to be loaded."""
        self._loaded = True
        self._deliver()

    def _deliver(self) -> None:
        self._announced = False
        try:
            # Results that came together go to the browser together, each of them: some are messages, not states.
            with unlocked("collect"):
                while result := self._next():
                    result()
        finally:
            if self._loaded and (self._early or self._results):  # behind one that failed
                self._announce()

    @property
    def _fetched(self) -> bool:
        """Whether a browser has begun to fetch the page: what changes until it has it Panel keeps from it."""
        session = self._document and getattr(self._document.session_context, "session", None)
        return session is not None and session.connection_count > 0

    def _next(self) -> Callable[[], None] | None:
        if self._early and (self._loaded or not self._fetched):
            return self._early.popleft()
        return self._results.popleft() if self._loaded and self._results else None


def attempted(work: Callable[[], T]) -> T | MiscopeError:
    """What the work gives, or why it was refused."""
    try:
        return work()
    except MiscopeError as error:
        return error


def _open(reference: ref[Errands]) -> None:
    errands = reference()
    if errands is not None:
        errands.open()
