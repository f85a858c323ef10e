"""`workspace.queue`: what a notebook asks for in the background, and what it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.bound import BoundWorkspace, open_bound
from miscope.bound_queue import BoundQueue
from miscope.errors import BadValue, UnknownName
from miscope.runs.queued_run import Place, Reached
from miscope.runs.run_errors import WrongState
from miscope.runs.run_labels import RunLabels
from miscope.runs.run_queue import RunQueue
from miscope.runs.run_state import RunState
from miscope.store.process_identity import this_process
from miscope.testing import tables
from miscope.train_request import TrainRequest

NAME = "toy.sum/v5-seed0-width16"


@pytest.fixture
def ws(place: Path) -> BoundWorkspace:
    return open_bound(place, tables())


@pytest.fixture
def unattended(ws: BoundWorkspace, monkeypatch: pytest.MonkeyPatch) -> BoundQueue:
    """A queue that nobody works through."""
    monkeypatch.setattr("miscope.runs.supervisor.start_supervisor", lambda root: 0)
    return ws.queue


def test_a_training_and_an_analysis_are_done_in_the_background(ws: BoundWorkspace) -> None:
    variant = ws.variant("toy.sum")
    training = ws.queue.train(variant, threads=1)
    analysis = ws.queue.analyze(variant, ["parameters.norms"], after=[training])
    assert analysis.wait() is RunState.COMPLETED
    assert training.state is RunState.COMPLETED
    assert training.log(1) == f"run {training.number}: completed"
    assert variant.steps == [0, 10, 20, 30]
    assert "W_E/squares" in variant.arrays("parameters.norms", 30)


def test_what_is_asked_for_is_what_the_command_line_would_ask_for(ws: BoundWorkspace, unattended: BoundQueue) -> None:
    variant = ws.variant("toy.sum", seed=3)
    first = unattended.train(variant, priority=2, steps=7, threads=1, watch=["ranks.weights"])
    second = unattended.analyze([variant], after=[first, first.number], steps="every:5")
    params = {"values": 5, "seed": 3, "width": 16}
    request = TrainRequest(family="toy.sum", params=params, steps=7, threads=1, watch=("ranks.weights",))
    assert (first.value.request, first.value.place) == (request, Place(priority=2))
    assert second.value.request == AnalyzeRequest(variants=(variant.name,), steps="every:5")
    assert second.value.place.needs == (first.number,)


@pytest.mark.parametrize("name", ["should_stop", "should_save"])
def test_a_function_cannot_be_sent_to_another_process(ws: BoundWorkspace, unattended: BoundQueue, name: str) -> None:
    with pytest.raises(BadValue) as refusal:
        unattended.train(ws.variant("toy.sum"), **{name: lambda: False})
    assert str(refusal.value) == (
        f"A run in the queue does not take {name}.\n"
        "Another process works on it, and cannot call a function of this one.\n"
        "Use the run's own `.stop()` and `.save()`."
    )
    with pytest.raises(UnknownName, match="There is no training option named 'stepps'"):
        unattended.train(ws.variant("toy.sum"), stepps=3)
    assert unattended.runs() == []


@pytest.mark.parametrize(("given", "named"), [(None, "A NoneType"), (NAME, repr(NAME)), (3, "A int")])
def test_what_is_no_variant_is_told_to_be_none(unattended: BoundQueue, given: Any, named: str) -> None:
    for ask in (unattended.train, unattended.analyze):
        with pytest.raises(BadValue) as refusal:
            ask(given if ask == unattended.train else [given])
        assert str(refusal.value) == (
            f"{named} is no variant.\n"
            "The queue is given handles of variants that `miscope.open` made.\n"
            "Take one:  workspace.find(NAME), or workspace.variant(FAMILY, ...)"
        )


def test_one_run_and_one_instrument_need_no_list(ws: BoundWorkspace, unattended: BoundQueue) -> None:
    training = unattended.train(ws.variant("toy.sum"))
    analysis = unattended.analyze(ws.variant("toy.sum"), "parameters.norms", after=training)
    assert analysis.value.place.needs == (training.number,)
    assert analysis.value.request == AnalyzeRequest(variants=(NAME,), analyzers=("parameters.norms",))


def test_a_run_is_asked_by_its_own_methods_and_says_where_it_stands(ws: BoundWorkspace, unattended: BoundQueue) -> None:
    run = unattended.train(ws.variant("toy.sum"))
    assert repr(run) == f"<run 1 pending: train {NAME}>"
    assert run.pause().state is RunState.STOPPED
    assert run.resume().state is RunState.PENDING
    queue = RunQueue(ws.root)
    queue.claim(1, this_process())
    queue.reach(1, Reached(done=15, total=30))
    assert run.save().value.save == 1
    assert run.stop().state is RunState.STOPPING
    assert run.wait(0.0) is RunState.STOPPING
    queue.move(1, RunState.FAILED, "<b> is no number.\nLower the rate.")
    assert repr(unattended) == f"<run 1 failed 50 %: train {NAME}: <b> is no number.>"
    assert "<td>50 %</td><td>&lt;b&gt; is no number.</td>" in unattended._repr_html_()
    again = run.retry()
    assert (again.number, again.value.place.retry_of) == (2, 1)
    assert again.cancel().state is RunState.CANCELLED
    assert [one.number for one in unattended.runs("failed", "cancelled")] == [1, 2]
    with pytest.raises(WrongState):
        again.stop()
    assert again.edit(name="anew", tags=["paper"]).edit(notes="lower rate").value.labels == RunLabels(
        name="anew", notes="lower rate", tags=("paper",)
    )
    again.delete()
    assert [one.number for one in unattended.runs()] == [1]
    assert unattended.run(1) == run


def test_a_queue_without_runs_says_so(unattended: BoundQueue) -> None:
    assert repr(unattended) == "<no runs>"
    with pytest.raises(UnknownName, match="There is no run 4"):
        unattended.run(4)
