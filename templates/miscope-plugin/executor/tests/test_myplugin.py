"""The executor: the outcomes of all jobs, none taken too early, and an analysis that gives what another gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import miscope
import numpy as np
import pytest
from miscope import Plugins

import miscope_myplugin
from miscope_myplugin.myplugin import Timed


def test_the_executor_yields_the_outcome_of_every_job_and_says_how_long_it_took(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert list(Timed().run(abs, [-1, 2])) == [1, 2]
    assert [line.split()[1:] for line in capsys.readouterr().err.splitlines()] == [["s", "-1"], ["s", "2"]]


def test_the_executor_takes_a_job_only_when_there_is_room_for_it() -> None:
    taken: list[int] = []

    def jobs() -> Iterator[int]:
        for number in range(3):
            taken.append(number)
            yield number

    first = next(iter(Timed().run(abs, jobs())))
    assert (first, taken) == (0, [0])


def test_an_analysis_leaves_the_arrays_that_it_leaves_inline(workspace: Callable[..., miscope.BoundWorkspace]) -> None:
    variant = workspace(myplugin=miscope_myplugin).variant("toy.sum")
    for _ in variant.train(threads=1):
        pass
    variant.analyze("parameters.norms", executor="myplugin")
    here = dict(variant.arrays("parameters.norms"))
    variant.analyze("parameters.norms", executor="inline", force=True)
    inline = variant.arrays("parameters.norms")
    assert here.keys() == inline.keys()
    assert all(np.array_equal(here[name], inline[name]) for name in here)


def test_the_executor_is_found_once_installed() -> None:
    assert "myplugin" in Plugins.installed().executors
