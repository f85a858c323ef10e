"""Estimates of a server: whose turn it is, and who is told to come again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.exceptions import HTTPException

from miscope_panel.rest.estimating import Estimating


def told(estimating: Estimating, meanwhile: Callable[[], object] = lambda: None) -> str:
    """What became of an estimate: 'made', or how it was refused."""
    try:
        with estimating.turn():
            meanwhile()
    except HTTPException as error:
        return f"{error.status_code} {error.detail}"
    return "made"


def test_one_is_made_at_a_time_a_few_wait_and_the_next_is_told_to_come_again(until) -> None:
    estimating, done = Estimating(lambda: False), threading.Event()
    under_way, most = [0], [0]

    def meanwhile() -> None:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        done.wait(60)
        under_way[0] -= 1

    with ThreadPoolExecutor(5) as pool:
        first = [pool.submit(told, estimating, meanwhile) for _ in range(5)]
        until(lambda: any(each.done() for each in first))
        (refused,) = (each.result() for each in first if each.done())
        done.set()
        answers = [each.result() for each in first]
    assert refused == "503 4 estimates are being made or waited for already"
    assert (sorted(answers), most[0]) == ([refused, *["made"] * 4], 1)
    assert told(estimating) == "made", "there is room again"


def test_who_waits_is_let_go_once_the_server_is_to_end() -> None:
    ends = threading.Event()
    estimating = Estimating(ends.is_set)
    with estimating.turn() as bounds, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(told, estimating)
        assert not bounds.should_stop()
        ends.set()
        assert waiting.result(60) == "503 The server is about to end"
        assert bounds.should_stop(), "what is under way is left off"


def test_the_turn_is_over_though_an_estimate_fails() -> None:
    estimating = Estimating(lambda: False)
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), estimating.turn():
            raise ZeroDivisionError
    assert told(estimating) == "made"
