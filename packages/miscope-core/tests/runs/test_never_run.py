"""What nobody could ever do is refused before it is queued, in the same words to a command, a study and a notebook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.bound import open_bound
from miscope.errors import BadValue, MiscopeError
from miscope.runs import actions
from miscope.runs.queued_run import Place
from miscope.runs.run_queue import RunQueue
from miscope.runs.submitting import submit_chains
from miscope.studies.bad_study import BadStudy
from miscope.studies.document import Document
from miscope.studies.resolving import read_study, resolved
from miscope.testing import tables
from miscope.train_request import TrainRequest

Run = Callable[..., tuple[int, str, str]]

NO_DEVICE = "There is no device 'banana'.\nDevices are: auto, cpu, cuda, cuda:0, cuda:1, ..., mps.\nName one."
HOW_OFTEN = (
    "'ranks.weights:0' does not say how often 'ranks.weights' is to be watched.\n"
    "What follows the colon is a whole number of steps, 1 or more, and not '0'.\n"
    "Write it like this:  ranks.weights:100"
)
TOO_FAR = f"A training cannot go to step {10**18}.\nThe last step that can be kept is {10**18 - 1}.\nGive fewer steps."


@pytest.fixture
def ws(offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setattr("miscope.runs.supervisor.start_supervisor", lambda root: 0)
    return tmp_path / "ws"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--device", "banana"], NO_DEVICE),
        (["--watch", "ranks.weights:0"], HOW_OFTEN),
        (["--steps", 10**18], TOO_FAR),
        (["--threads", 10**11], f"A training does not take threads={10**11}.\nIt is a whole number, 1 to 1024.\n"),
        (["--then", "analyze:ranks.wieghts"], "There is no analyzer named 'ranks.wieghts'.\nDid you mean 'ranks.wei"),
    ],
)
def test_a_command_that_could_never_be_done_queues_nothing_and_ends_with_1(
    command: Run, ws: Path, words: list[Any], told: str
) -> None:
    code, out, err = command("train", "toy.sum", "--queue", *words)
    assert (code, out) == (1, "")
    assert err.startswith(told)
    assert RunQueue(ws).runs() == []


@pytest.mark.parametrize(
    ("options", "told", "field"),
    [
        ({"device": "banana"}, NO_DEVICE, "device"),
        ({"watch": ["ranks.weights:0"]}, HOW_OFTEN, "watch"),
        ({"steps": 10**18}, TOO_FAR, "steps"),
    ],
)
def test_a_notebook_is_told_the_same_and_of_which_option(
    ws: Path, options: dict[str, Any], told: str, field: str
) -> None:
    place = open_bound(ws, tables())
    with pytest.raises(BadValue) as refused:
        place.queue.train(place.variant("toy.sum"), **options)
    assert (str(refused.value), refused.value.field) == (told, field)
    with pytest.raises(BadValue, match="There is no variant named") as unknown:
        place.queue.analyze(place.variant("toy.sum"))
    assert unknown.value.field == "variants"
    assert place.queue.runs() == []


@pytest.mark.parametrize(
    ("train", "told"),
    [({"device": "banana"}, NO_DEVICE), ({"watch": ["ranks.weights:0"]}, HOW_OFTEN), ({"steps": 10**18}, TOO_FAR)],
)
def test_a_study_is_told_the_same_at_its_place(ws: Path, train: dict[str, Any], told: str) -> None:
    study = {"name": "one", "family": "toy.sum", "train": train}
    with pytest.raises(BadStudy) as refused:
        resolved(open_bound(ws, tables()).value, Document.of_values(study, "study"))
    assert str(refused.value).endswith(told)


def test_a_study_may_be_for_a_machine_with_another_device_but_its_runs_are_not_queued_here(
    command: Run, ws: Path, tmp_path: Path
) -> None:
    (tmp_path / "far.yaml").write_text("family: toy.sum\nmatrix: {seed: [0, 1]}\ntrain: {device: 'cuda:9999'}\n")
    place = open_bound(ws, tables())
    assert len(read_study(place.value, tmp_path / "far.yaml").runs) == 2
    code, out, err = command("sweep", tmp_path / "far.yaml", "--queue")
    assert (code, out) == (1, "")
    assert err.startswith(f"{tmp_path / 'far.yaml'}, line 3: There is no device 'cuda:9999' here.\nThere is: ")
    assert (RunQueue(ws).runs(), place.store.layout.study("far").exists()) == ([], False)


def test_a_training_is_extended_to_no_step_that_cannot_be_kept(ws: Path) -> None:
    queue = RunQueue(ws)
    run = queue.submit(TrainRequest(family="toy.sum"), what="toy.sum/v5-seed0-width16")
    with pytest.raises(BadValue) as refused:
        actions.extend(queue, run.id, 10**18)
    assert str(refused.value) == TOO_FAR


def test_of_a_chain_that_could_not_be_done_to_its_end_nothing_is_begun(ws: Path) -> None:
    queue = RunQueue(ws)
    name = "toy.sum/v5-seed0-width16"
    chain = [TrainRequest(family="toy.sum"), AnalyzeRequest(variants=(name,), steps="every:0")]
    with pytest.raises(MiscopeError, match="'every:0' does not say which checkpoints"):
        submit_chains(open_bound(ws, tables()).value, queue, [chain], Place())
    assert queue.runs() == []
