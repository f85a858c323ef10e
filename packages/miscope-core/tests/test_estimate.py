"""What a training will take, known before it starts: sizes are exact, time lies between bounds that hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope.bound import BoundVariant, BoundWorkspace
from miscope.training.estimate import PastTraining, estimate, past_trainings, seconds_a_step

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
    assert lines[5].endswith("guessed from its size; no training of toy.sum was measured here yet")
    facts = json.loads(command("train", "toy.sum", "--dry-run", "--json")[1])
    assert (facts["weights"], facts["steps"], facts["checkpoints"], facts["measured"]) == (336, 30, 4, 0)
    assert facts["seconds"][0] < facts["seconds"][1]
