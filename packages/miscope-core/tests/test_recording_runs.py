"""One name is one run: what is recorded under it follows from what is there, or is refused."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import miscope
from miscope.bound import BoundVariant, BoundWorkspace
from miscope.errors import BadValue, NoArtifact, NoCheckpoint
from miscope.recording.recorder import Recorder
from miscope.testing import tables
from miscope.testing import toy_modules as own

NAME = "pytorch.module/one"
FIRST = "embed.weight, hidden.weight, hidden.bias, head.weight"


@pytest.fixture
def place(tmp_path: Path) -> BoundWorkspace:
    return miscope.open(tmp_path / "w", plugins=tables())


def trained(updates: int, *, seed: int = 0, rate: float = 0.1) -> nn.Module:
    """The model after so many updates: the same for the same numbers."""
    model = own.seeded(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    for _ in range(updates):
        own.learn(model, optimizer)
    return model


def record(place: BoundWorkspace, steps: Sequence[int], model: nn.Module | None = None, **how: Any) -> BoundVariant:
    """Record these steps of the training, going on from that model; how: its seed and rate."""
    given: dict[str, Any] = {key: how.pop(key) for key in ("resume", "probe", "names") if key in how}
    first = model or trained(0, **how)
    with place.record("one", first, **{"probe": own.pairs(), **given}) as recorder:
        hand_over(recorder, steps, **how)
    return place.find(recorder.variant.name)


def hand_over(recorder: Recorder, steps: Sequence[int], **how: Any) -> None:
    for step in steps:
        recorder.checkpoint(step, trained(step, **how), metrics={"train_loss": 1 / (step + 1)})


def same(variant: BoundVariant, step: int, model: nn.Module) -> bool:
    weights = variant.at(step).checkpoint.weights
    return all(torch.equal(weights[name], weight) for name, weight in model.named_parameters())


def test_a_run_goes_on_where_it_was(place: BoundWorkspace):
    record(place, [0, 2, 4])
    variant = record(miscope.open(place.root, plugins=tables()), [6, 8], trained(4))
    assert variant.steps == [0, 2, 4, 6, 8]
    assert variant.metric("train_loss")[0].tolist() == [0, 2, 4, 6, 8]
    assert same(variant, 8, trained(8))


def test_the_same_run_recorded_again_changes_nothing(place: BoundWorkspace):
    record(place, [0, 2, 4])
    files = {path: path.stat().st_mtime_ns for path in place.root.rglob("step_*")}
    variant = record(place, [0, 2, 4, 6])
    assert variant.steps == [0, 2, 4, 6]
    assert {path: path.stat().st_mtime_ns for path in files} == files


@pytest.mark.parametrize(
    ("steps", "how", "why"),
    [
        ([0], {"seed": 1}, "at step 0 its weights are others: embed.weight, hidden.weight, hidden.bias, head.weight"),
        (
            [0, 2],
            {"rate": 0.2},
            "at step 2 its weights are others: embed.weight, hidden.weight, hidden.bias, head.weight",
        ),
        ([0, 6], {}, "nothing shows that this run passed through its last checkpoint, at step 4"),
        ([0, 2, 3], {}, "it has no step 3, and is at step 4 already"),
    ],
)
def test_another_run_is_refused_and_nothing_of_it_is_kept(
    place: BoundWorkspace, steps: list[int], how: dict[str, object], why: str
):
    record(place, [0, 2, 4])
    with pytest.raises(BadValue) as error:
        record(place, steps, **how)
    assert str(error.value) == (
        f"{NAME} was not recorded further: {why}.\n"
        "One name is one run: its checkpoints follow from each other.\n"
        "Record this run under another name; or, to go on from an earlier step N in place of what follows it there, "
        "give `resume=N` with the model as it was at N."
    )
    assert place.store.steps(NAME) == [0, 2, 4]
    assert place.find("one").metric("train_loss")[0].tolist() == [0, 2, 4]


def test_going_on_from_an_earlier_step_drops_what_followed_and_what_was_computed_of_it(place: BoundWorkspace):
    variant = record(place, [0, 2, 4, 6])
    variant.analyze("parameters.norms", "parameters.trajectory")
    before = {step: variant.arrays("parameters.norms", step=step) for step in variant.steps}
    model = trained(2)
    faster = torch.optim.SGD(model.parameters(), lr=0.5)
    with place.record("one", model, probe=own.pairs(), resume=2) as recorder:
        for step in (4, 6):
            own.learn(model, faster)
            recorder.checkpoint(step, model, metrics={"train_loss": 9.0})
    assert variant.steps == [0, 2, 4, 6]
    assert variant.metric("train_loss")[1].tolist() == [1, 1 / 3, 9, 9]
    with pytest.raises(NoArtifact):
        variant.arrays("parameters.norms", step=4)
    variant.analyze("parameters.norms", "parameters.trajectory")
    after = {step: variant.arrays("parameters.norms", step=step) for step in variant.steps}
    moved = [step for step in after if any((after[step][name] != before[step][name]).any() for name in after[step])]
    assert moved == [4, 6]


@pytest.mark.parametrize(
    ("model", "resume", "text"),
    [
        (
            trained(3),
            2,
            f"{NAME} cannot go on from step 2: the model is not the one recorded there.\n"
            "Its weights are others: embed.weight, hidden.weight, hidden.bias, head.weight, ....\n"
            "Load the model as it was at that step before the `with`, or record under another name.",
        ),
        (
            trained(3),
            3,
            f"{NAME} cannot go on from step 3: it has no checkpoint there.\n"
            "It has 3 checkpoints, the last at step 4.\n"
            "Name one of its steps: 0, 2, 4.",
        ),
    ],
)
def test_a_recording_goes_on_only_from_what_is_there(place: BoundWorkspace, model: nn.Module, resume: int, text: str):
    record(place, [0, 2, 4])
    with pytest.raises(BadValue) as error:
        record(place, [], model, resume=resume)
    assert str(error.value) == text
    assert place.store.steps(NAME) == [0, 2, 4]


def test_there_is_nothing_to_go_on_from_where_nothing_was_recorded(place: BoundWorkspace):
    with pytest.raises(BadValue) as error:
        record(place, [], resume=2)
    assert str(error.value) == (
        f"{NAME} cannot go on from step 2: it has no checkpoint there.\n"
        "Nothing was recorded under this name.\nLeave `resume` out."
    )
    assert place.names() == []


@pytest.mark.parametrize(
    ("given", "what", "known"),
    [
        ({"probe": own.pairs(labels=None)}, "probe", "Its inputs are (25, 2), and these (25, 2); whatever is known"),
        ({"names": own.NAMES}, "network", "They differ in: W_E, embed.weight"),
        ({"model": own.Adder(squared=True)}, "network", "On the same weights and inputs it gives other answers."),
        ({"model": own.Adder(width=9)}, "network", "They differ in: head.weight, hidden.bias, hidden.weight"),
    ],
)
def test_another_network_or_probe_is_refused_under_the_same_name(
    place: BoundWorkspace, given: dict[str, object], what: str, known: str
):
    record(place, [0])
    with pytest.raises(BadValue) as error:
        record(place, [], **given)
    first, second, todo = str(error.value).split("\n")
    assert first == f"{NAME} was recorded with another {what}."
    assert second.startswith(known)
    assert todo == "Give what it was recorded with, or record this under another name."


def test_metrics_beyond_the_last_checkpoint_of_a_run_that_ended_there_are_those_of_the_one_that_goes_on(
    place: BoundWorkspace,
):
    with place.record("one", trained(0), probe=own.pairs()) as recorder:
        recorder.checkpoint(0, trained(0))
        recorder.metrics(1, {"train_loss": 5.0})
        recorder.metrics(2, {"train_loss": 6.0})
    with place.record("one", trained(0), probe=own.pairs()) as recorder:
        recorder.metrics(1, {"train_loss": 7.0})
    assert [each.tolist() for each in place.find("one").metric("train_loss")] == [[1], [7.0]]


def test_the_optimizers_state_is_kept_by_role_as_the_weights_lie(place: BoundWorkspace):
    model = own.seeded()
    optimizer = torch.optim.AdamW(model.parameters())
    own.learn(model, optimizer)
    names = {"hidden.weight": miscope.NamedWeight("blocks.0.mlp.W_in", axes=("pair", "d_mlp"))}
    with place.record("one", model, probe=own.pairs(), names=names) as recorder:
        recorder.checkpoint(1, model, optimizer=optimizer)
        with pytest.raises(BadValue, match="is no metric"):
            recorder.metrics(1, {"train_loss": "low"})
    state = place.store.load_training_state(NAME, step=1)
    assert state is not None
    kept = state.optimizer_state["blocks.0.mlp.W_in"]
    assert torch.equal(kept["exp_avg"], optimizer.state[model.hidden.weight]["exp_avg"].T)
    assert kept["step"].item() == 1
    assert place.find("one").at(1).checkpoint.weights["blocks.0.mlp.W_in"].shape == (16, 12)
    assert place.store.load_training_state(NAME) is None  # nothing to train on from


def test_a_wrapped_model_is_the_model(place: BoundWorkspace):
    with place.record("one", nn.DataParallel(trained(0)), probe=own.pairs()) as recorder:
        recorder.checkpoint(0, trained(0))
        recorder.checkpoint(2, nn.DataParallel(trained(2)))
    assert same(place.find("one"), 2, trained(2))


def test_weights_of_sixteen_bits_become_single_and_what_is_no_number_is_noted(place: BoundWorkspace):
    model = trained(1).bfloat16()
    with place.record("one", model, probe=own.pairs()) as recorder:
        recorder.checkpoint(1, model)
        broken = copy.deepcopy(model)
        nn.init.constant_(broken.head.bias, float("nan"))
        recorder.checkpoint(2, broken, metrics={"train_loss": float("nan")})
    variant = place.find(recorder.variant.name)
    assert {weight.dtype for weight in variant.at(1).checkpoint.weights.values()} == {torch.float32}
    assert place.store.finite_steps(NAME) == [1]
    assert place.store.unfinite(NAME, 2) == "head.bias holds NaN (5 of 5 values)"
    assert {outcome.state for outcome in variant.analyze("behaviour.metrics")} == {"saved", "skipped"}


def test_what_was_recorded_is_neither_trained_nor_imported_over_nor_the_other_way_round(
    place: BoundWorkspace, tmp_path: Path
):
    variant = record(place, [0])
    with pytest.raises(BadValue) as error:
        list(variant.train(steps=3))
    assert str(error.value) == (
        f"{NAME} cannot be trained.\nIts checkpoints come from elsewhere.\n"
        "Go on in the loop that trained it:  workspace.record(NAME, model, probe=...)"
    )
    torch.save(trained(2).state_dict(), tmp_path / "step_2.pt")
    with pytest.raises(BadValue):
        place.adopt(tmp_path / "step_2.pt", family="pytorch.module")
    assert place.store.steps(NAME) == [0]


def test_a_run_without_a_checkpoint_says_so(place: BoundWorkspace):
    variant = record(place, [])
    with pytest.raises(NoCheckpoint) as error:
        variant.at(0)
    assert str(error.value) == (
        f"{NAME} has no checkpoints.\nIt was recorded, and has no checkpoint.\n"
        "Keep one:  recorder.checkpoint(step, model)"
    )


def test_a_killed_recording_leaves_whole_checkpoints_and_goes_on(tmp_path: Path):
    script = Path(__file__).with_name("killed_recordings.py")
    done = subprocess.run([sys.executable, str(script), str(tmp_path), "8"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    place = miscope.open(tmp_path / "killed", plugins=tables())
    (variant,) = place.variants()
    assert len(variant.steps) >= 8
    assert variant.steps == list(range(len(variant.steps)))
    for step in variant.steps:
        assert variant.at(step).checkpoint.metrics == {"train_loss": float(step)}
        state = place.store.load_training_state(NAME, step=step)
        assert state is not None
        assert state.step == step
    steps, values = variant.metric("train_loss")
    assert set(variant.steps) <= set(steps.tolist())
    assert (values == steps).all()
    assert {outcome.state for outcome in variant.analyze("parameters.norms")} == {"saved"}
