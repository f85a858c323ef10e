"""One reader of the queue's journal for a whole server, however many pages want to know what happens to runs.

It says too of which variants somebody wrote tags, notes or pins, and of which that are looked at files came or went.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import final
from weakref import WeakMethod

from miscope.errors import MiscopeError
from miscope.runs.journal import Journal
from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import ACTIVE
from miscope_panel.shown.files_changed import FilesChanged
from miscope_panel.shown.jobs_told import NOTHING, JobsTold

__all__ = ["Heard", "RunWatch"]

_log = logging.getLogger("miscope.serve")

_LOOK_EVERY = 0.2
"""Seconds; with those that a run's process takes to say how far it is, and the way to the browser, below one."""
_UNREADABLE = (MiscopeError, OSError, sqlite3.Error, ValueError)
"""What reading a queue raises that is damaged, away for a moment or written by another version: it is read again."""
_MANY = 20
"""Changed runs from which on reading all is sooner done than reading each."""


@final
@dataclass(frozen=True, kw_only=True)
class Heard:
    """What happened since one was told last."""

    told: JobsTold = NOTHING
    runs: Mapping[int, QueuedRun] = field(default_factory=dict)
    """Those that changed, as they stand now, by their numbers; a deleted one says so."""
    anew: bool = False
    """Whether everything may be otherwise: one begins to listen, or the queue was made anew."""
    moved: bool = False
    """Whether a run is in another state, place or list, not only further."""
    noted: frozenset[str] = frozenset()
    """Names of variants whose tags, notes or pins were written, by whomever."""
    files: FilesChanged = field(default_factory=FilesChanged)
    """Of variants that are looked at, whoever wrote them."""

    def then(self, later: Heard) -> Heard:
        """Both together."""
        return replace(
            later,
            runs={**self.runs, **later.runs},
            anew=self.anew or later.anew,
            moved=self.moved or later.moved,
            noted=self.noted | later.noted,
            files=self.files.then(later.files),
        )


@final
class _Listener:
    """Somebody who is told on their own thread, and of what came meanwhile at once; kept alive by nobody here."""

    def __init__(self, hand: Callable[[Callable[[], None]], bool], take: Callable[[Heard], None]) -> None:
        # Bound methods are made anew at each look, so that of these only the objects can be held weakly.
        self._hand, self._take = WeakMethod(hand), WeakMethod(take)
        self._turn = threading.Lock()
        self._waiting: Heard | None = None

    @property
    def there(self) -> bool:
        return self._hand() is not None and self._take() is not None

    def hear(self, heard: Heard) -> bool:
        """Pass it on; whether there is still somebody."""
        hand = self._hand()
        if hand is None:
            return False
        with self._turn:
            under_way = self._waiting is not None
            self._waiting = heard if self._waiting is None else self._waiting.then(heard)
        return under_way or hand(self._deliver)

    def _deliver(self) -> None:
        with self._turn:
            heard, self._waiting = self._waiting, None
        take = self._take()
        if take is not None and heard is not None:
            take(heard)


@final
class RunWatch:
    """Reads while somebody listens, on a thread of its own, and tells each only of what changed."""

    def __init__(
        self,
        queue: RunQueue,
        noted: Callable[[], frozenset[str]] = frozenset,
        files: Callable[[], FilesChanged] = FilesChanged,
    ) -> None:
        """noted: of which variants something was written since it was last called. files: which came or went since."""
        self._queue, self._journal, self._noted, self._files = queue, Journal(queue.database), noted, files
        self._turn = threading.Lock()
        self._listeners: dict[object, _Listener] = {}
        self._thread: threading.Thread | None = None
        self._news = threading.Event()

    def listen(self, hand: Callable[[Callable[[], None]], bool], take: Callable[[Heard], None]) -> Callable[[], None]:
        """Have `take` told, at first of everything; what ends that is returned. Both are methods of objects.

        hand: has what it is given called where `take` may be, and says whether anybody is there still. Whoever is
        collected, or says that nobody is there, is told no more.
        """
        key, listener = object(), _Listener(hand, take)
        with self._turn:
            self._listeners[key] = listener
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._read, name=f"miscope-runs {self._queue.layout.root}", daemon=True
                )
                self._thread.start()
        self._news.set()

        def leave() -> None:
            with self._turn:
                self._listeners.pop(key, None)
            self._news.set()

        return leave

    @property
    def listeners(self) -> int:
        """How many are told."""
        with self._turn:
            return len(self._listeners)

    def _read(self) -> None:
        try:
            self._read_on()
        finally:
            with self._turn:  # whoever listens next starts another, however this one ended
                if self._thread is threading.current_thread():
                    self._thread = None

    def _read_on(self) -> None:
        reader, known, complained = _Reader(self._queue, self._journal), set[object](), ""
        while (listeners := self._still_there()) is not None:
            try:
                heard = reader.look()
                complained = ""
            except _UNREADABLE as error:
                why = str(error) if isinstance(error, MiscopeError) else f"{type(error).__name__}: {error}"
                if why != complained:
                    _log.warning("The queue could not be read, and is tried again: %s", why)
                heard, complained = None, why
            if noted := self._noted():
                heard = replace(heard or Heard(told=reader.told), noted=noted)
            if files := self._files():
                heard = replace(heard or Heard(told=reader.told), files=files)
            for key, listener in listeners.items():
                told = heard if key in known else Heard(told=reader.told, anew=True, files=files)
                if told is not None:
                    self._tell(key, listener, told)
            known = set(listeners)
            self._news.wait(_LOOK_EVERY)
            self._news.clear()

    def _still_there(self) -> dict[object, _Listener] | None:
        """Who is to be told; None, and the thread may end, where nobody is left."""
        with self._turn:
            self._listeners = {key: one for key, one in self._listeners.items() if one.there}
            if not self._listeners:
                self._thread = None
                return None
            return dict(self._listeners)

    def _tell(self, key: object, listener: _Listener, told: Heard) -> None:
        """Who is gone, or fails at being told, is told no more."""
        there = False
        try:
            there = listener.hear(told)
        finally:
            if not there:
                with self._turn:
                    self._listeners.pop(key, None)


@final
class _Reader:
    """How far the journal was read."""

    def __init__(self, queue: RunQueue, journal: Journal) -> None:
        self._queue, self._journal = queue, journal
        self._seen: int | None = None
        self._born: float | None = None
        self.told = NOTHING

    def look(self) -> Heard | None:
        """What came since the last look that could be read; None where nothing did."""
        born = self._journal.born()
        if self._seen is None or self._born not in (None, born):
            newest = self._journal.newest()
            return self._note(born, newest, Heard(told=JobsTold.of(self._queue.runs(ACTIVE)), anew=True))
        noted = self._journal.after(self._seen)
        if not noted:
            self._born = born
            return None
        moved = any(each.event not in ("progress", "checkpoint") for each in noted)
        told, runs = JobsTold.of(self._queue.runs(ACTIVE)), self._runs({each.run for each in noted})
        return self._note(born, noted[-1].id, Heard(told=told, runs=runs, moved=moved))

    def _note(self, born: float | None, seen: int, heard: Heard) -> Heard:
        """That it was read so far; called last, so that what could not be read is read at the next look."""
        self._born, self._seen, self.told = born, seen, heard.told
        return heard

    def _runs(self, numbers: set[int]) -> dict[int, QueuedRun]:
        if len(numbers) > _MANY:
            every = self._queue.every()
            return {number: every[number] for number in numbers if number in every}
        return {number: self._queue.run(number) for number in sorted(numbers)}
