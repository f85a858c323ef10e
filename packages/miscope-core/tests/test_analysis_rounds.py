"""An analysis opens its executor once, and hands over together what needs nothing of each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import numpy as np
import pytest

from miscope.analysis.analyze import analyze
from miscope.analyzer import Analyzer, Grain
from miscope.bound import BoundVariant, open_bound
from miscope.executor import Executor
from miscope.needs import Needs
from miscope.outcome import State
from miscope.testing import tables


def here(snapshot: Any) -> dict[str, np.ndarray]:
    """The step."""
    return {"x": np.array(float(snapshot.step))}


def further(snapshot: Any) -> dict[str, np.ndarray]:
    """One more than what was there."""
    return {"x": snapshot.artifacts["r.here"]["x"] + 1}


def course(trajectory: Any) -> dict[str, np.ndarray]:
    """That, over training."""
    return {"x": trajectory.artifacts["r.further"]["x"]}


def across(cohort: Any) -> dict[str, np.ndarray]:
    """How many variants."""
    return {"n": np.array(float(len(cohort.members)))}


HERE = Analyzer(name="r.here", version=1, grain=Grain.CHECKPOINT, compute=here)
FURTHER = Analyzer(name="r.further", version=1, grain=Grain.CHECKPOINT, compute=further, needs=Needs(reads=("r.here",)))
COURSE = Analyzer(name="r.course", version=1, grain=Grain.TRAJECTORY, compute=course, needs=Needs(reads=("r.further",)))
ACROSS = [
    Analyzer(name=f"r.across{n}", version=1, grain=Grain.COHORT, compute=across, needs=Needs(reads=("r.course",)))
    for n in "abc"
]
NAMES = [record.name for record in (HERE, FURTHER, COURSE, *ACROSS)]


@final
class Counting(Executor):
    """Takes all jobs of a run before it works on the first, and remembers what it was given."""

    name = "counting"

    def __init__(self) -> None:
        self.opened = self.ended = 0
        self.runs: list[list[tuple[str, ...]]] = []

    @contextmanager
    def open(self) -> Iterator[Executor]:
        self.opened += 1
        try:
            yield self
        finally:
            self.ended += 1

    def run(self, work: Any, jobs: Any, *, lost: Any = None) -> Iterator[Any]:
        assert self.opened == self.ended + 1, "it is open while it runs"
        taken = list(jobs)
        self.runs.append([job.analyzers for job in taken])
        yield from map(work, taken)


@pytest.fixture
def variants(tmp_path: Path) -> list[BoundVariant]:
    """Two trained toys in a workspace that knows the analyzers."""
    workspace = open_bound(tmp_path / "w", tables(HERE, FURTHER, COURSE, *ACROSS))
    both = [workspace.variant("toy.sum", seed=seed) for seed in (1, 2)]
    for variant in both:
        list(variant.train(threads=1, steps=10))
    return both


def test_an_executor_is_opened_once_however_many_rounds_there_are(variants: list[BoundVariant]) -> None:
    counting = Counting()
    outcomes = list(analyze(variants[0].workspace.value, [each.value for each in variants], NAMES, executor=counting))
    assert {outcome.state for outcome in outcomes} == {State.SAVED}
    assert len(counting.runs) == 3
    assert (counting.opened, counting.ended) == (1, 1)


def test_what_spans_variants_is_handed_over_together(variants: list[BoundVariant]) -> None:
    counting = Counting()
    list(analyze(variants[0].workspace.value, [each.value for each in variants], NAMES, executor=counting))
    assert counting.runs[-1] == [("r.acrossa",), ("r.acrossb",), ("r.acrossc",)]


def test_an_executor_is_not_opened_where_nothing_is_to_be_done(variants: list[BoundVariant]) -> None:
    list(analyze(variants[0].workspace.value, [each.value for each in variants], NAMES))
    counting = Counting()
    assert {
        o.state
        for o in analyze(variants[0].workspace.value, [each.value for each in variants], NAMES, executor=counting)
    } == {State.PRESENT}
    assert (counting.opened, counting.runs) == (0, [])


def test_an_executor_is_closed_where_the_analysis_is_dropped(variants: list[BoundVariant]) -> None:
    counting = Counting()
    outcomes = analyze(variants[0].workspace.value, [each.value for each in variants], NAMES, executor=counting)
    next(outcomes)
    outcomes.close()
    assert (counting.opened, counting.ended) == (1, 1)


def test_a_stop_between_rounds_hands_over_nothing_more(variants: list[BoundVariant]) -> None:
    counting, seen = Counting(), []
    for outcome in analyze(
        variants[0].workspace.value,
        [each.value for each in variants],
        NAMES,
        executor=counting,
        should_stop=lambda: len(seen) == 4,
    ):
        seen.append(outcome)
    assert [len(jobs) for jobs in counting.runs] == [4, 0, 0]
    assert list(variants[0].workspace.ledger.lines())[-1]["reason"] == "stop requested"
