"""Work through the queue: a process for each run, as many at once as there is room for."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from miscope.errors import BadFile, Busy, CannotWrite
from miscope.runs.child import LOST
from miscope.runs.queued_run import QueuedRun
from miscope.runs.rebuilding import mend
from miscope.runs.reconciling import reconcile
from miscope.runs.run_errors import Supervised, WrongState
from miscope.runs.run_folder import RunFolder
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import ACTIVE, RunState
from miscope.runs.slots import Slots
from miscope.runs.spawning import PYTHON, leave_alone, spawn
from miscope.store.layout import Layout
from miscope.store.ledger import Ledger
from miscope.store.variant_lock import variant_lock

__all__ = ["Supervisor", "start_supervisor", "supervising", "supervisor_process"]

_LOOK_EVERY = 0.2
"""Seconds between two looks at the queue."""
_LINGER = 2.0
"""Seconds that one waits, where it is to end with the last run, for somebody to ask for another."""


@contextmanager
def supervising(queue: RunQueue) -> Iterator[None]:
    """Be the one supervisor of the workspace; Supervised, saying who is, if there is one."""
    with ExitStack() as held:
        try:
            held.enter_context(variant_lock(queue.layout.supervisor, str(queue.layout.root)))
        except Busy as error:
            raise Supervised(queue.layout.root, error.holder) from None
        yield


@final
@dataclass(kw_only=True)
class _Child:
    """A run's process that this supervisor started."""

    process: subprocess.Popen[bytes]
    card: str
    turns: int
    """How many had worked on the run before it."""


@final
@dataclass(kw_only=True)
class Supervisor:
    """Starts runs when their turn comes, and says of those that died without a word what became of them."""

    queue: RunQueue
    ledger: Ledger
    slots: Slots
    pause: float = 0.0
    """Seconds of rest after each run, before the next begins."""
    note: Callable[[str], None] = lambda line: None
    """Told of each thing that happens."""
    words: tuple[str, ...] = (*PYTHON, "miscope.runs.child")
    """What starts a run's process, before the workspace and the run's number."""
    _children: dict[int, _Child] = field(default_factory=dict)
    _rest_until: float = 0.0
    _checked: float = 0.0
    _complained: str = ""

    def serve(self, *, should_stop: Callable[[], bool], until_idle: bool = False) -> None:
        """Work through the queue until told to stop, or until nothing more can begin.

        Its runs go on when it ends: each is a process of its own, and the next supervisor finds it.
        """
        for line in (*mend(self.queue, self.ledger), *reconcile(self.queue, self.ledger, ours=())):
            self.note(line)
        try:
            self._work(should_stop, until_idle=until_idle)
        finally:
            for child in self._children.values():
                leave_alone(child.process)

    def _work(self, should_stop: Callable[[], bool], *, until_idle: bool) -> None:
        idle_since: float | None = None
        while not should_stop():
            try:
                busy = self._look()
            except CannotWrite as error:  # there may be room again, and then all of this is done
                if str(error) != self._complained:
                    self._complained = str(error)
                    self.note(str(error))
                busy = True
            except BadFile:
                mended = list(mend(self.queue, self.ledger))
                if not mended:
                    raise
                for line in mended:
                    self.note(line)
                continue
            idle_since = None if busy else idle_since or time.monotonic()
            if until_idle and idle_since is not None and time.monotonic() - idle_since > _LINGER:
                return
            time.sleep(_LOOK_EVERY)

    def _look(self) -> bool:
        """Do what there is to do now; whether something is under way, or could begin."""
        self._collect()
        self._look_after()
        self._start()
        return bool(self._children) or self.queue.busy()

    def _collect(self) -> None:
        """Note which processes ended, and write it for those that did not write it themselves."""
        for number, child in list(self._children.items()):
            code = child.process.poll()
            if code is None:
                continue
            run = self.queue.every().get(number)
            if run is not None:  # the queue may have been made anew, and what was asked for not be readable
                self._note_end(run, child, code)
            del self._children[number]  # not before: what cannot be written now is tried again
            self._rest_until = time.monotonic() + self.pause

    def _note_end(self, run: QueuedRun, child: _Child, code: int) -> None:
        if run.state is RunState.PENDING and run.turn == child.turns and code != LOST:
            # It died before it could claim its run; begun again at once, it might die so without end.
            state = RunState.INTERRUPTED if code < 0 else RunState.FAILED
            self._end(run, state, _last_words(self.queue, run.id, code))
        elif run.state in ACTIVE and run.pid == child.process.pid:
            for line in reconcile(self.queue, self.ledger, ours=(run.id,), how=_how(code)):
                self.note(line)
        else:
            self.note(_line(run))

    def _look_after(self) -> None:
        """Once a second: runs whose processes another supervisor started, and that died."""
        if time.monotonic() - self._checked < 1.0:
            return
        self._checked = time.monotonic()
        for line in reconcile(self.queue, self.ledger, ours=(), but=tuple(self._children)):
            self.note(line)

    def _start(self) -> None:
        if time.monotonic() < self._rest_until:
            return
        ready = [run for run in self.queue.ready() if run.id not in self._children]
        others = [run for run in self.queue.runs(ACTIVE) if run.id not in self._children]
        room = self.slots.at_once - len(self._children) - len(others)
        taken = {child.card for child in self._children.values()}
        taken |= {self.slots.named_card(run) or RunFolder(self.queue.layout, run.id).card for run in others}
        trained: set[str] = set()
        for run in ready:
            card = self.slots.card_for(run, taken)
            if room <= 0:
                return
            if card is None or (run.kind == "train" and run.what in trained):
                continue
            self._spawn(run, card)
            taken.add(card)
            trained.add(run.what)
            room -= 1
            if self.pause:
                return

    def _spawn(self, run: QueuedRun, card: str) -> None:
        words = [*self.words, str(self.queue.layout.root), str(run.id)]
        environment = {**os.environ, **self.slots.environment(run, card)}
        process = spawn(words, RunFolder(self.queue.layout, run.id).log, environment)
        self._children[run.id] = _Child(process=process, card=card, turns=run.turn)
        self.note(f"run {run.id} begins: {run.kind} {run.what}")

    def _end(self, run: QueuedRun, state: RunState, error: str) -> None:
        try:
            self.note(_line(self.queue.move(run.id, state, error)))
        except WrongState:
            self.note(_line(self.queue.run(run.id)))


def _line(run: QueuedRun) -> str:
    reason = f": {run.error.splitlines()[0]}" if run.error else ""
    return f"run {run.id} {run.state}: {run.kind} {run.what}{reason}"


def _how(code: int) -> str:
    """In words, how a process ended that wrote nothing."""
    if code < 0:
        name = signal.Signals(-code).name if -code in {each.value for each in signal.Signals} else str(-code)
        memory = " Out of memory, perhaps." if name == "SIGKILL" else ""
        return f"Its process was ended by {name}.{memory}"
    return f"Its process ended with {code}."


def _last_words(queue: RunQueue, number: int, code: int) -> str:
    words = "\n".join(RunFolder(queue.layout, number).tail(5))
    return f"{_how(code)} It could not begin." + (f" It printed last:\n{words}" if words else "")


def start_supervisor(root: Path) -> int:
    """Start a supervisor in the background that ends with the last run; where there is one, it leaves at once.

    The number of its process. What it says is in runs/supervisor.log.
    """
    process = supervisor_process(root)
    leave_alone(process)
    return process.pid


def supervisor_process(root: Path) -> subprocess.Popen[bytes]:
    """The same as a process to be waited for: it ends with 0 after the last run, with 1, and without
    a word, where there is another."""
    words = [*PYTHON, "miscope", "runs", "serve", "--until-idle", "--in-passing", "--workspace", str(root)]
    return spawn(words, Layout(root).runs / "supervisor.log")
