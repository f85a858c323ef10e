"""One reader of the queue for all pages of a server: who is told what, and that nobody is kept by it."""

from __future__ import annotations

import gc
import sqlite3
import threading
from collections.abc import Callable
from queue import Queue

import pytest

from miscope.runs import actions
from miscope.runs.queued_run import Reached
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.process_identity import this_process
from miscope.train_request import TrainRequest
from miscope_panel.page.run_watch import Heard, RunWatch
from miscope_panel.shown.jobs_told import JobsTold

LONG = 60
"""Seconds that guard against waiting for ever."""


class Visitor:
    """A page whose event loop is the thread that says something."""

    def __init__(self) -> None:
        self.heard: Queue[Heard] = Queue()
        self.stands = True

    def hand(self, then: Callable[[], None]) -> bool:
        if self.stands:
            then()
        return self.stands

    def take(self, heard: Heard) -> None:
        self.heard.put(heard)

    def next(self) -> Heard:
        return self.heard.get(timeout=LONG)


@pytest.fixture
def queue(tmp_path):
    return RunQueue(tmp_path)


def asked(queue, seed=0):
    return queue.submit(TrainRequest(family="toy.sum", params={"seed": seed}), what=f"toy.sum/seed{seed}").id


def readers(queue):
    """The threads that read it; other tests of the process may have left theirs."""
    return [each for each in threading.enumerate() if each.name == f"miscope-runs {queue.layout.root}"]


def ended(watch, queue):
    """Wait until nobody reads."""
    for thread in readers(queue):
        thread.join(timeout=LONG)
        assert not thread.is_alive()
    assert watch.listeners == 0


def test_a_listener_is_told_that_all_is_new_and_then_of_each_change(queue):
    watch, visitor = RunWatch(queue), Visitor()
    number = asked(queue)
    leave = watch.listen(visitor.hand, visitor.take)
    assert visitor.next() == Heard(anew=True)
    queue.claim(number, this_process())
    began = visitor.next()
    assert (began.moved, began.runs[number].state, began.told) == (True, RunState.RUNNING, JobsTold(running=1))
    queue.reach(number, Reached(done=10, total=40))
    further = visitor.next()
    assert (further.moved, further.runs[number].reached.done, further.told.percent) == (False, 10, 25)
    queue.move(number, RunState.FAILED, "It failed.")
    assert visitor.next().told == JobsTold()
    actions.delete(queue, number)
    assert visitor.next().runs[number].deleted
    leave()
    ended(watch, queue)


def test_many_listeners_have_one_reader_and_the_last_to_leave_ends_it(queue):
    watch, visitors = RunWatch(queue), [Visitor() for _ in range(5)]
    leave = [watch.listen(visitor.hand, visitor.take) for visitor in visitors]
    assert all(visitor.next().anew for visitor in visitors)
    assert len(readers(queue)) == 1
    number = asked(queue)
    assert all(number in visitor.next().runs for visitor in visitors)
    for each in leave:
        each()
    ended(watch, queue)
    late = Visitor()
    stop = watch.listen(late.hand, late.take)
    assert late.next().anew
    stop()
    ended(watch, queue)


def test_one_whose_page_was_closed_or_collected_is_told_no_more(queue):
    watch, closed, collected = RunWatch(queue), Visitor(), Visitor()
    watch.listen(closed.hand, closed.take)
    watch.listen(collected.hand, collected.take)
    assert closed.next().anew
    assert collected.next().anew
    closed.stands = False
    del collected
    gc.collect()
    asked(queue)
    ended(watch, queue)
    assert closed.heard.empty()


def test_what_comes_while_a_page_is_busy_it_is_told_at_once(queue):
    later: list[Callable[[], None]] = []

    class Busy(Visitor):
        def hand(self, then):
            later.append(then)
            return True

    watch, busy, quick = RunWatch(queue), Busy(), Visitor()
    leave = [watch.listen(busy.hand, busy.take), watch.listen(quick.hand, quick.take)]
    assert quick.next().anew
    first, second = asked(queue), asked(queue, seed=1)
    seen: set[int] = set()
    while seen != {first, second}:
        seen |= quick.next().runs.keys()
    for each in leave:
        each()
    ended(watch, queue)
    assert len(later) == 1
    later[0]()
    told = busy.heard.get_nowait()
    assert (told.anew, set(told.runs)) == (True, {first, second})


def test_a_queue_that_could_not_be_read_is_read_again(queue):
    watch, visitor = RunWatch(queue), Visitor()
    queue.layout.queue.parent.mkdir(parents=True, exist_ok=True)
    queue.layout.queue.write_bytes(b"no database at all, and long enough to be read as the head of one" * 9)
    leave = watch.listen(visitor.hand, visitor.take)
    assert visitor.next().anew
    queue.layout.queue.unlink()
    number = asked(queue)
    heard = visitor.next()
    assert heard.anew or number in heard.runs
    leave()
    ended(watch, queue)


@pytest.mark.parametrize(
    "error",
    [
        sqlite3.ProgrammingError("Cannot operate on a closed database."),
        PermissionError(13, "Permission denied"),
        ValueError("'sleeping' is not a valid RunState"),
    ],
)
def test_a_change_that_could_not_be_read_at_once_is_told_later(queue, monkeypatch, error):
    watch, visitor, failed = RunWatch(queue), Visitor(), threading.Event()
    leave = watch.listen(visitor.hand, visitor.take)
    assert visitor.next().anew
    runs = queue.runs

    def fails_once(_queue, *states):
        if failed.is_set():
            return runs(*states)
        failed.set()
        raise error

    monkeypatch.setattr(RunQueue, "runs", fails_once)
    number = asked(queue)
    heard = visitor.next()
    assert (failed.is_set(), heard.anew, list(heard.runs)) == (True, False, [number])
    leave()
    ended(watch, queue)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_reader_that_ended_by_an_error_is_followed_by_another(queue):
    class Failing(Visitor):
        def hand(self, then):
            raise KeyError("a fault of this page")

    watch, failing, visitor = RunWatch(queue), Failing(), Visitor()
    watch.listen(failing.hand, failing.take)
    ended(watch, queue)
    leave = watch.listen(visitor.hand, visitor.take)
    assert visitor.next().anew
    leave()
    ended(watch, queue)
