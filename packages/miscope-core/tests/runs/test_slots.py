"""What of the machine a run may use: threads, and a graphics card of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.runs.queued_run import QueuedRun
from miscope.runs.run_queue import RunQueue
from miscope.runs.slots import Slots, graphics_cards
from miscope.runs.supervisor import Supervisor
from miscope.store.ledger import Ledger
from miscope.store.process_identity import this_process
from miscope.train_request import TrainRequest


@pytest.fixture
def queue(tmp_path: Path) -> RunQueue:
    return RunQueue(tmp_path)


def training(queue: RunQueue, **fields: object) -> QueuedRun:
    return queue.submit(TrainRequest(family="toy.sum", **fields), what="toy.sum/a")  # type: ignore[arg-type]


def test_each_training_on_a_card_has_one_for_itself_and_waits_where_all_are_taken(queue: RunQueue) -> None:
    slots = Slots(at_once=4, cards=("0", "3"))
    run = training(queue)
    assert slots.card_for(run, taken=()) == "0"
    assert slots.card_for(run, taken={"0"}) == "3"
    assert slots.card_for(run, taken={"0", "3"}) is None


def test_a_training_that_names_a_card_waits_for_that_one_and_finds_it_at_its_place(queue: RunQueue) -> None:
    slots = Slots(at_once=4, cards=("0", "3"))
    run = training(queue, device="cuda:1")
    assert slots.card_for(run, taken={"0"}) == "3"
    assert slots.card_for(run, taken={"3"}) is None
    assert slots.environment(run, "3")["CUDA_VISIBLE_DEVICES"] == "0,3"


def test_a_card_stays_taken_when_the_supervisor_that_gave_it_is_gone(
    queue: RunQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = training(queue), queue.submit(TrainRequest(family="toy.sum"), what="toy.sum/b")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    queue.claim(first.id, this_process())
    lines: list[str] = []
    slots = Slots(at_once=4, cards=("3",))
    supervisor = Supervisor(queue=queue, ledger=Ledger(queue.layout.ledger), slots=slots, note=lines.append)
    looks = iter((False, False, True))
    supervisor.serve(should_stop=lambda: next(looks))
    assert (lines, queue.run(second.id).turn) == ([], 0)


def test_what_computes_on_the_cpu_waits_for_no_card_and_sees_none(queue: RunQueue) -> None:
    slots = Slots(at_once=4, cards=("0",))
    analysis = queue.submit(AnalyzeRequest(variants=("toy.sum/a",)), what="toy.sum/a")
    for run in (training(queue, device="cpu"), analysis):
        assert slots.card_for(run, taken={"0"}) == ""
        assert slots.environment(run, "")["CUDA_VISIBLE_DEVICES"] == ""


def test_a_machine_without_cards_leaves_the_choice_of_the_device_alone(queue: RunQueue) -> None:
    slots = Slots(at_once=4)
    assert slots.card_for(training(queue), taken=()) == ""
    assert "CUDA_VISIBLE_DEVICES" not in slots.environment(training(queue), "")


def test_a_run_has_the_threads_that_it_asks_for_or_those_of_every_run(queue: RunQueue) -> None:
    slots = Slots(at_once=1, threads=2)
    assert slots.environment(training(queue, threads=5), "")["OMP_NUM_THREADS"] == "5"
    assert slots.environment(training(queue), "")["OMP_NUM_THREADS"] == "2"


def test_as_many_run_at_once_as_the_cores_have_threads_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("miscope.runs.slots._cores", lambda: 8)
    assert [Slots.of(at_once=None, threads=n, cards=()).at_once for n in (1, 2, 3, 16)] == [8, 4, 2, 1]
    assert Slots.of(at_once=3, threads=1, cards=()).at_once == 3


@pytest.mark.parametrize(("shown", "cards"), [("", ()), ("-1", ()), ("0,2", ("0", "2")), ("GPU-ab12", ("GPU-ab12",))])
def test_cards_are_those_that_this_process_may_use(
    monkeypatch: pytest.MonkeyPatch, shown: str, cards: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", shown)
    assert graphics_cards() == cards
