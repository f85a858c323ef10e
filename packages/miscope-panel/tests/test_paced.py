"""How often something is read that changes all the time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from miscope_panel.page import paced
from miscope_panel.page.paced import Paced


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

        self.waiting: list[tuple[float, Callable[[], None]]] = []

    def monotonic(self) -> float:
        return self.now

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        self.waiting.append((self.now + seconds, call))

    def go_on(self, seconds: float) -> None:
        """And have called what is due meanwhile."""
        end = self.now + seconds
        while due := [each for each in self.waiting if each[0] <= end]:
            first = min(due, key=lambda each: each[0])
            self.waiting.remove(first)
            self.now = max(self.now, first[0])
            first[1]()
        self.now = end


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(paced, "time", found)
    return found


def test_the_first_change_is_read_at_once_and_the_next_after_a_rest_in_keeping_with_what_it_took(clock):
    read = []
    reading = Paced(lambda: read.append(clock.now), share=0.1)
    reading.want(urgent=False)
    assert read == [100.0]
    clock.now += 1
    reading.done()
    for _ in range(20):
        clock.now += 0.5
        reading.want(urgent=False)
    assert read == [100.0, 110.0]


def test_what_is_urgent_waits_for_what_is_under_way_alone(clock):
    read = []
    reading = Paced(lambda: read.append(clock.now))
    reading.want(urgent=False)
    reading.want(urgent=False)
    reading.want(urgent=True)
    assert len(read) == 1
    reading.done()
    assert len(read) == 2
    reading.done()
    assert len(read) == 2
    reading.want(urgent=True)
    assert len(read) == 3


def test_what_comes_while_it_is_read_is_read_at_the_end_of_the_rest_and_not_at_the_next_change(clock):
    read = []
    reading = Paced(lambda: read.append(clock.now), later=clock.later)
    reading.want(urgent=False)
    clock.go_on(0.25)
    reading.want(urgent=False)
    clock.go_on(0.25)
    reading.done()
    clock.go_on(10)
    assert read == [100.0, 101.0]


def test_what_comes_in_the_rest_is_read_once_at_its_end(clock):
    read = []
    reading = Paced(lambda: read.append(clock.now), later=clock.later)
    reading.want(urgent=False)
    clock.go_on(0.25)
    reading.done()
    for _ in range(3):
        clock.go_on(0.0625)
        reading.want(urgent=False)
    clock.go_on(10)
    reading.done()
    clock.go_on(10)
    assert read == [100.0, 100.5]
    assert clock.waiting == []


def test_what_was_read_meanwhile_is_not_read_again_at_the_end_of_the_rest(clock):
    read = []
    reading = Paced(lambda: read.append(clock.now), later=clock.later)
    reading.want(urgent=False)
    reading.done()
    reading.want(urgent=False)
    reading.want(urgent=True)
    reading.done()
    clock.go_on(10)
    assert read == [100.0, 100.0]


def test_nobody_who_stopped_looking_has_it_read_at_the_end_of_the_rest(clock):
    read = []
    reading = Paced(lambda: read.append(clock.now), later=clock.later)
    reading.want(urgent=False)
    reading.done()
    reading.want(urgent=False)
    reading.stop()
    clock.go_on(10)
    assert read == [100.0]
