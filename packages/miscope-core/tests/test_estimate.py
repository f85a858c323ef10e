"""What a training will take, known before it starts: sizes are exact, time lies between bounds that hold."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.failure import Failure
from miscope.testing import tables
from miscope.train_request import TrainRequest
from miscope.training.bounded_estimate import Bounds, estimates
from miscope.training.estimate import Estimate, PastTraining, estimate, past_trainings, seconds_a_step

Run = Callable[..., tuple[int, str, str]]
positive = st.floats(1e-6, 1e3)
work = st.floats(1.0, 1e9)


def trained(variant: BoundVariant, **options: object) -> BoundVariant:
    for _ in variant.train(threads=1, **options):
        pass
    return variant


@given(overhead=positive, each=st.floats(0.0, 1e-3), known=st.lists(work, min_size=1, max_size=8), new=work)
def test_the_bounds_hold_wherever_a_step_takes_an_overhead_and_so_much_for_each_unit_of_work(
    overhead: float, each: float, known: list[float], new: float
) -> None:
    pasts = [PastTraining(work=one, seconds_a_step=overhead + each * one) for one in known]
    low, high = seconds_a_step(pasts, new)
    truth = overhead + each * new
    assert low <= truth * (1 + 1e-9)
    assert high >= truth * (1 - 1e-9)


@given(new=work, threads=st.integers(1, 64))
def test_without_a_past_training_it_is_a_range_that_more_work_makes_longer(new: float, threads: int) -> None:
    low, high = seconds_a_step([], new, threads=threads)
    assert 0 < low < high
    assert seconds_a_step([], 2 * new, threads=threads)[0] >= low


def test_the_trainings_of_the_most_similar_size_are_asked() -> None:
    far = [PastTraining(work=1e8 * n, seconds_a_step=50.0) for n in range(1, 9)]
    near = [PastTraining(work=1000.0, seconds_a_step=1.0)] * 5
    assert seconds_a_step([*far, *near], 1000.0) == (1.0 / 1.25, 1.25)


def test_an_estimate_names_what_is_then_written(workspace: Callable[..., BoundWorkspace]) -> None:
    place = workspace()
    variant = place.variant("toy.sum")
    before = estimate(place.value, variant.value)
    assert (before.steps, before.checkpoints, before.adaptive, before.measured) == (30, 4, False, 0)
    trained(variant)
    folder = place.store.layout.variant(variant.name)
    files = [*folder.glob("checkpoints/*.safetensors"), *folder.glob("training_state*")]
    written = sum(path.stat().st_size for path in files)
    assert len(place.store.steps(variant.name)) == before.checkpoints
    assert 0.5 < before.size / written < 2
    assert before.weights == sum(w.numel() for w in place.store.load_checkpoint(variant.name, 0).weights.values())


def test_what_is_there_already_is_not_estimated_again(workspace: Callable[..., BoundWorkspace]) -> None:
    place = workspace()
    variant = trained(place.variant("toy.sum"), steps=10)
    assert (estimate(place.value, variant.value).steps, estimate(place.value, variant.value).checkpoints) == (20, 2)
    trained(variant)
    done = estimate(place.value, variant.value)
    assert (done.steps, done.checkpoints, done.seconds) == (0, 0, (0.0, 0.0))
    assert estimate(place.value, variant.value, steps=50).steps == 20


def test_a_training_that_was_run_here_is_the_measure_of_the_next(workspace: Callable[..., BoundWorkspace]) -> None:
    place = workspace()
    trained(place.variant("toy.sum"))
    (past,) = past_trainings(place.ledger, "toy.sum")
    again = estimate(place.value, place.variant("toy.sum", seed=1).value)
    assert again.measured == 1
    assert again.seconds[0] <= 30 * past.seconds_a_step <= again.seconds[1]
    assert past_trainings(place.ledger, "toy.fourier") == []


def test_a_training_of_a_few_steps_measures_nothing(workspace: Callable[..., BoundWorkspace]) -> None:
    place = workspace()
    trained(place.variant("toy.sum"), steps=2)
    assert past_trainings(place.ledger, "toy.sum") == []


def test_trainings_of_far_less_work_do_not_widen_what_the_size_says(workspace: Callable[..., BoundWorkspace]) -> None:
    place = workspace()
    variant = place.variant("toy.sum").value
    guess = estimate(place.value, variant, pasts=[]).seconds
    overhead = guess[0] / 30
    seconds = estimate(place.value, variant, pasts=[PastTraining(work=1.0, seconds_a_step=overhead)]).seconds
    assert seconds == pytest.approx(guess)
    odd = estimate(place.value, variant, pasts=[PastTraining(work=1.0, seconds_a_step=1e6)]).seconds
    assert odd[0] == pytest.approx(30 * 1e6), "what was measured counts where the guess says otherwise"
    most = guess[1] / 30
    touching = estimate(place.value, variant, pasts=[PastTraining(work=1.0, seconds_a_step=0.99 * most)]).seconds
    assert touching[1] > 1.5 * touching[0], "two ranges that hardly meet do not make a narrow one"


def test_a_clock_that_was_set_back_measures_nothing(workspace: Callable[..., BoundWorkspace]) -> None:
    place = workspace()
    trained(place.variant("toy.sum"))
    (name,) = place.ledger.runs()
    path = place.ledger.folder / f"{name}.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["event"] == "checkpoint" and line["step"] == 30:
            line["time"] = "2001-01-01T00:00:00.000000"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert past_trainings(place.ledger, "toy.sum") == []


GREEDY = """
import os, time
import torch
from miscope import hookimpl
from miscope.testing.toy import ToyVariation

class Greedy(ToyVariation):
    name = "toy.greedy"
    title = "Toy whose data take all the memory, or all the time, that there is"

    def task(self, variant):
        data = []
        while variant.params.seed == 1:
            data.append(torch.ones(2**18))
        while variant.params.seed == 2:
            time.sleep(0.01)
        if variant.params.seed == 3:
            os._exit(1)
        if variant.params.seed == 4:
            raise RuntimeError("this seed is ill")
        return super().task(variant)

    def bases(self, params):
        return {}

@hookimpl
def miscope_families():
    yield Greedy()
"""


@pytest.fixture
def greedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Estimate | Failure]]:
    """greedy([seed, ...], memory=..., seconds=...): the estimates of its trainings."""
    (tmp_path / "greedy_plugin.py").write_text(GREEDY)
    monkeypatch.syspath_prepend(tmp_path)
    place = open_bound(tmp_path / "ws", tables(greedy=importlib.import_module("greedy_plugin"))).value
    return lambda seeds, **bounds: estimates(
        place, [TrainRequest(family="toy.greedy", params={"seed": seed}) for seed in seeds], Bounds(**bounds)
    )


UNKNOWN = (
    "What this training of toy.greedy takes is not known: {}.\n"
    "An estimate makes them in a process of its own, which ended; a training makes them and keeps them.\n"
    "Ask for fewer or smaller examples, or train it where there is room for them."
)


def test_what_takes_too_much_memory_to_find_out_or_dies_is_said_so_and_the_others_are_told(
    greedy: Callable[..., list[Estimate | Failure]], tmp_path: Path
) -> None:
    plain, *others, last = greedy([0, 4, 3, 1, 5], memory=10**8, seconds=90)
    assert isinstance(plain, Estimate)
    assert (plain.data, last) == (600, plain)
    assert [other.error for other in others if isinstance(other, Failure)] == [
        "RuntimeError: this seed is ill",
        UNKNOWN.format("the process that made its data and its first weights died"),
        UNKNOWN.format("to make its data and its first weights takes more than 0.1 GB of memory"),
    ]
    assert not (tmp_path / "ws").exists()


def test_what_takes_too_long_to_find_out_is_said_so_and_no_time_is_left_for_others(
    greedy: Callable[..., list[Estimate | Failure]],
) -> None:
    told = UNKNOWN.format("to make its data and its first weights takes more than 0.3 s")
    assert greedy([2, 0], seconds=0.3) == [Failure(error=told), Failure(error=told)]


def test_nothing_more_is_found_out_once_whoever_asked_is_to_end(
    greedy: Callable[..., list[Estimate | Failure]],
) -> None:
    """Told while the first is being made, which alone would take for ever."""
    looks = iter([False] * 2 + [True] * 10**6)
    told = UNKNOWN.format("whoever asked does not wait for it any more")
    assert greedy([2, 0], seconds=600, should_stop=lambda: next(looks)) == [Failure(error=told), Failure(error=told)]


def test_an_estimate_keeps_no_data(workspace: Callable[..., BoundWorkspace]) -> None:
    place = workspace()
    variant = place.variant("toy.sum").value
    estimate(place.value, variant)
    assert "task" not in vars(place.value.context(variant))


@pytest.fixture
def ws(offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    return tmp_path / "ws"


def test_a_dry_run_says_what_it_will_take_and_writes_nothing(command: Run, ws: Path) -> None:
    code, out, err = command("train", "toy.sum", "--dry-run")
    lines = [" ".join(line.split()) for line in out.strip().splitlines()]
    assert (code, err, ws.exists()) == (0, "", False)
    assert lines[:4] == [
        "variant toy.sum/v5-seed0-width16",
        "weights 336",
        "steps 30 to do",
        "checkpoints 4 to write",
    ]
    assert lines[5] == "data 600 bytes in memory"
    assert lines[6].endswith("guessed from its size; no training of toy.sum was measured here yet")
    facts = json.loads(command("train", "toy.sum", "--dry-run", "--json")[1])
    assert (facts["weights"], facts["steps"], facts["checkpoints"], facts["measured"]) == (336, 30, 4, 0)
    assert facts["seconds"][0] < facts["seconds"][1]
