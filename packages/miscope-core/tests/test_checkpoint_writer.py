"""How often a training writes its metrics while it goes on, by what writing them takes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from miscope.training import checkpoint_writer
from miscope.training.checkpoint_writer import CheckpointWriter

MERGE_EVERY = 32


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], float], float], list[float]]:
    """written(takes, seconds): when each write began, of a training that reports ten times a second for so long."""

    def of(takes: Callable[[int], float], seconds: float) -> list[float]:
        clock, begun = Clock(), list[float]()
        monkeypatch.setattr(checkpoint_writer, "time", clock)

        def append(variant: str, rows: object) -> None:
            begun.append(clock.now - 100)
            clock.now += takes(len(begun))

        unused: Any = None
        store: Any = SimpleNamespace(append_metrics=append)
        writer = CheckpointWriter(store, unused, "toy.sum/v5", unused, unused)
        while clock.now < 100 + seconds:
            clock.now += 0.101
            writer.report()
        return begun

    return of


def apart(times: list[float]) -> list[float]:
    return [later - before for before, later in pairwise(times)]


def test_metrics_are_written_five_times_a_second_also_where_parts_were_just_merged(written):
    times = written(lambda number: 0.1 if number % MERGE_EVERY == 0 else 0.004, 60.0)
    assert len(times) > 4 * MERGE_EVERY
    assert max(apart(times)) < 0.35


def test_what_is_loaded_before_the_first_write_keeps_nobody_waiting(written):
    times = written(lambda number: 0.5 if number == 1 else 0.004, 10.0)
    assert max(apart(times)) < 0.8


def test_where_writing_is_slow_it_takes_a_twentieth_of_the_time(written):
    times = written(lambda number: 0.5, 600.0)
    assert len(times) * 0.5 <= 0.05 * 600 + 1.5
    assert len(times) * 0.5 >= 0.05 * 600 - 1.5
