"""The time that is left is told once it is measured, in this attempt."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from rich.progress import Progress as Bar

from miscope.cli.time_left import TimeLeft
from miscope.pace import Pace
from miscope.runs.queued_run import Reached
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.process_identity import this_process
from miscope.train_request import TrainRequest


@dataclass
class Clock:
    """One that a test sets."""

    now: float = 0.0
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(lambda: self.now)

    def note(self, now: float, done: int) -> Pace:
        self.now = now
        self.pace.note(done)
        return self.pace


def test_nothing_is_told_of_the_beginning():
    clock = Clock()
    assert (clock.pace.rate, clock.pace.left(100)) == (None, None)
    assert clock.note(0.0, 0).left(100) is None
    assert clock.note(9.0, 1).left(100) is None  # it took what is done once
    assert clock.note(10.9, 20).left(100) is None
    assert clock.note(11.0, 21).left(101) == pytest.approx(8.0)
    assert clock.pace.rate == pytest.approx(10.0)


def test_at_a_constant_rate_it_is_exact():
    clock = Clock()
    for done in range(1001):
        left = clock.note(0.25 * done, done).left(1000)
        if done >= 9:  # the first step, and two seconds of others
            assert left == pytest.approx(0.25 * (1000 - done))


@pytest.mark.parametrize("slow", [10, 50, 1000])
def test_a_slow_first_update_has_no_part_in_it(slow: int):
    """50 updates of 0.1 s, the first of which took so many times as long."""
    clock = Clock()
    for done in range(51):
        clock.note(0.0 if done == 0 else 0.1 * (slow + done - 1), done)
    assert clock.pace.left(1500) == pytest.approx(0.1 * 1450)


@pytest.mark.parametrize("slow", [2.0, 3.0, 5.0])
def test_updates_that_grow_faster_are_told_within_a_quarter_after_fifty(slow: float):
    """The first is told of with nothing else; the next two take so many times as long as those that follow."""
    clock, now = Clock(), 0.0
    for done in range(51):
        clock.note(now, done)
        now += 0.1 * (slow if done < 3 else 1.0)
    assert clock.pace.left(1500) == pytest.approx(0.1 * 1450, rel=0.25)


def test_what_an_earlier_attempt_did_is_no_part_of_the_pace():
    clock = Clock()
    for now, done in ((0.0, 5000), (0.01, 5001), (0.02, 5200)):
        assert clock.note(now, done).left(6000) is None
    assert clock.note(10.01, 5011).left(5021) == pytest.approx(10.0)


def test_what_is_done_leaves_nothing():
    assert Clock().note(0.0, 30).left(30) == 0.0


def test_what_begins_anew_is_measured_anew():
    clock = Clock()
    clock.note(0.0, 0), clock.note(1.0, 10), clock.note(11.0, 110)
    assert clock.note(11.1, 0).left(100) is None
    assert clock.note(11.2, 1).left(100) is None


def test_a_bar_of_a_training_that_goes_on_does_not_count_what_was_there():
    now = [0.0]
    bar = Bar(get_time=lambda: now[0], disable=True)
    column, task = TimeLeft(), bar.add_task("", total=None)

    def shown(moment: float, done: int) -> str:
        now[0] = moment
        bar.update(task, completed=done, total=10_000)
        return column.render(bar.tasks[0]).plain

    assert column.render(bar.tasks[0]).plain == "-:--:--"
    assert [shown(0.1, 5000), shown(0.2, 5001), shown(1.0, 5002)] == ["-:--:--"] * 3
    assert shown(50.2, 5051) == "1:22:29"


def test_a_run_that_was_resumed_has_no_time_left_of_its_last_attempt(tmp_path):
    queue = RunQueue(tmp_path)
    number = queue.submit(TrainRequest(family="toy.sum"), what="toy.sum/v5-seed0-width16").id
    assert queue.claim(number, this_process()) is not None
    queue.reach(number, Reached(done=1, total=5000, eta=86_400.0, rate=0.05))
    assert queue.run(number).facts()["eta"] == 86_400.0
    queue.move(number, RunState.STOPPING)
    queue.move(number, RunState.STOPPED)
    assert (queue.run(number).facts()["eta"], queue.run(number).facts()["rate"]) == (None, 0.05)
    queue.move(number, RunState.PENDING)
    claimed = queue.claim(number, this_process())
    assert (claimed.eta, claimed.facts()["rate"], claimed.reached.done) == (None, None, 1)
