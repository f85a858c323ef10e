"""How often something is read that changes all the time."""

from __future__ import annotations

import pytest

from miscope_panel.page import paced
from miscope_panel.page.paced import Paced


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


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
