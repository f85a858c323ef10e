"""A training loop of one's own becomes a variant like any other, in this process and in others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import miscope
from miscope.bound import BoundVariant, BoundWorkspace
from miscope.errors import BadValue, Busy, DoesNotApply
from miscope.modules.any_module import AnyModule
from miscope.modules.describing import Given, described
from miscope.recording.recorder import Recorder
from miscope.store.origin import origin_of
from miscope.testing import check_family, roundings, tables
from miscope.testing import toy_modules as own

BUILD = {"build": "miscope.testing.toy_modules:adder", "options": {"width": 12}}


@pytest.fixture
def place(tmp_path: Path) -> BoundWorkspace:
    return miscope.open(tmp_path / "w", plugins=tables())


def again(place: BoundWorkspace) -> BoundWorkspace:
    """The same folder as another process finds it."""
    return miscope.open(place.root, plugins=tables())


def go(recorder: Recorder, model: nn.Module, steps: range, optimizer: torch.optim.Optimizer | None = None) -> None:
    """Train, handing over every tenth step."""
    used = optimizer or torch.optim.AdamW(model.parameters(), lr=1e-2)
    for step in steps:
        before = {name: weight.clone() for name, weight in model.state_dict().items()}
        loss = own.learn(model, used)
        after = {name: weight.clone() for name, weight in model.state_dict().items()}
        model.load_state_dict(before)
        recorder.metrics(step, {"train_loss": loss})
        if step % 10 == 0:
            recorder.checkpoint(step, model, optimizer=optimizer)
        model.load_state_dict(after)


def recorded(place: BoundWorkspace, **given: object) -> BoundVariant:
    model = own.seeded()
    with place.record("one", model, probe=own.pairs(), **given) as recorder:
        go(recorder, model, range(21))
    return place.find(recorder.variant.name)


def test_a_plain_loop_becomes_a_variant_with_its_weights_and_metrics(place: BoundWorkspace):
    model, kept = own.seeded(), {}
    with place.record("one", model, probe=own.pairs(), names=own.NAMES) as recorder:
        for step in range(3):
            kept[step] = model.hidden.weight.detach().clone()
            recorder.checkpoint(step, model, metrics={"train_loss": torch.tensor(0.5 + step), "grip": np.float32(2)})
            own.learn(model, torch.optim.SGD(model.parameters(), lr=0.1))
    variant = again(place).find("one")
    assert (variant.name, variant.steps) == ("pytorch.module/one", [0, 1, 2])
    assert all(torch.equal(variant.at(step).checkpoint.weights["hidden.weight"], kept[step]) for step in kept)
    assert "W_E" in variant.at(0).checkpoint.weights
    assert variant.metric("train_loss")[1].tolist() == [0.5, 1.5, 2.5]
    assert variant.at(1).checkpoint.metrics == {"train_loss": 1.5, "grip": 2.0}
    assert origin_of(place.store.variant_record(variant.name).facts) == "recorded"
    events = [line["event"] for line in place.ledger.lines()]
    assert events == ["started", "checkpoint", "checkpoint", "checkpoint", "finished"]


def test_recording_changes_nothing_of_the_training(place: BoundWorkspace):
    model = own.seeded(kind=own.Convolutional).train()
    state, drawn = {n: w.clone() for n, w in model.state_dict().items()}, torch.get_rng_state()
    with place.record("one", model, probe=torch.ones(6, 1, 4, 4)) as recorder:
        recorder.checkpoint(0, model)
    assert model.training
    assert torch.equal(torch.get_rng_state(), drawn)
    assert all(torch.equal(weight, state[name]) for name, weight in model.state_dict().items())
    assert not any(part._forward_hooks for part in model.modules())
    assert all(weight.requires_grad for weight in model.parameters())


@pytest.mark.parametrize("kind", [own.Adder, own.Recurrent, own.Convolutional])
def test_any_module_keeps_the_contract_of_families(kind: type[nn.Module], place: BoundWorkspace):
    probe = own.pairs() if kind is not own.Convolutional else torch.rand(6, 1, 4, 4)
    model = own.seeded(kind=kind)
    description = described(model, Given(probe=probe))
    family = AnyModule().of(description)
    if kind is not own.Convolutional:  # the check's weights are of any sign, and a variance is not
        check_family(family, {"run": "one", "contents": description.contents})
    rebuilt = family.model(None)
    weights = {w.role: w.as_role(model.state_dict()[w.parameter]) for w in description.network.weights}
    inputs, expected = description.probe.inputs, model.eval()(description.probe.inputs).detach()
    logits = rebuilt.run(weights, inputs, ["logits", *description.network.sites])["logits"]
    assert roundings(logits.numpy(), (expected if expected.ndim == 3 else expected[:, None]).numpy()) < 50


def test_what_looks_at_activations_applies_where_the_network_can_be_made(place: BoundWorkspace):
    variant = recorded(place, names=own.NAMES, **BUILD)
    assert {o.state for o in variant.analyze("behaviour.metrics", "neurons.frequencies")} == {"saved"}
    here = variant.arrays("behaviour.metrics", step=20)
    script = (
        "import miscope, json, sys; from miscope.testing import tables\n"
        "variant = miscope.open(sys.argv[1], plugins=tables()).find('one')\n"
        "variant.analyze('behaviour.metrics', force=True)\n"
        "print(json.dumps({n: v.tolist() for n, v in variant.arrays('behaviour.metrics', step=20).items()}))"
    )
    command = [sys.executable, "-c", script, str(place.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    there = json.loads(done.stdout.splitlines()[-1])
    assert {name: values.tolist() for name, values in here.items()} == there


def test_without_a_function_that_makes_it_the_process_with_the_network_sees_it_and_others_its_weights(
    place: BoundWorkspace,
):
    variant = recorded(place, names=own.NAMES)
    assert {o.state for o in variant.analyze("neurons.frequencies")} == {"saved"}
    other = again(place).find("one")
    assert {o.state for o in other.analyze("parameters.norms")} == {"saved"}
    assert set(other.arrays("neurons.frequencies", step=20)) == set(variant.arrays("neurons.frequencies", step=20))
    with pytest.raises(DoesNotApply) as error:
        other.analyze("behaviour.metrics")
    assert str(error.value) == (
        "'behaviour.metrics' does not apply to pytorch.module/one: its network is in the process that recorded it "
        "only, and cannot be made anew.\n"
        "It was recorded without `build=`: its weights and metrics are here, and no code that runs them.\n"
        "Record the run again under its name and give it:  workspace.record(..., "
        'build="package.module:function", options={...})'
    )


def test_a_run_is_given_its_function_later(place: BoundWorkspace):
    recorded(place, names=own.NAMES)
    model = own.seeded()
    with again(place).record("one", model, probe=own.pairs(), names=own.NAMES, **BUILD):
        pass
    assert {o.state for o in again(place).find("one").analyze("behaviour.metrics")} == {"saved"}
    with again(place).record("one", model, probe=own.pairs(), names=own.NAMES):
        pass
    assert place.store.variant_record("pytorch.module/one").facts["network"]["build"] == BUILD["build"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (
            {"build": "miscope.testing.toy_modules:adder", "options": {"squared": True}},
            "Miscope.testing.toy_modules:adder makes another network than the one that was recorded.\n"
            "On the same weights and inputs it gives other answers.\n"
            "Put the function back as it was, or record the new network under another name.",
        ),
        (
            {"build": "miscope.testing.toy_modules:adder", "options": {"width": 9}},
            "Miscope.testing.toy_modules:adder makes another network than the one that was recorded.\n"
            "Its 'hidden.weight' is (9, 16), and was (12, 16).\n"
            "Put the function back as it was, or record the new network under another name.",
        ),
        (
            {"build": "miscope.testing.toy_modules:nobody_says_what"},
            "Miscope.testing.toy_modules:nobody_says_what() cannot make its network here.\n"
            "Miscope.testing.toy_modules:nobody_says_what does not say that it returns an nn.Module.\n"
            "Say it:  def nobody_says_what(...) -> torch.nn.Module; or name a class of modules.",
        ),
        (
            {"build": "no_such_file:adder"},
            "No_such_file:adder() cannot make its network here.\n"
            "ModuleNotFoundError: No module named 'no_such_file'.\n"
            "Put the folder of its file on PYTHONPATH, or install its package; then try again.",
        ),
        (
            {"options": {"width": 12}},
            "The options width are of no function.\n"
            "They are what the function that makes the network is called with.\n"
            'Name it:  build="package.module:function"',
        ),
    ],
)
def test_a_function_that_cannot_make_the_network_is_refused_before_anything_is_written(
    place: BoundWorkspace, build: dict[str, object], text: str
):
    with pytest.raises(BadValue) as error, place.record("one", own.seeded(), probe=own.pairs(), **build):
        pass
    assert str(error.value) == text
    assert place.names() == []


def test_nothing_but_what_makes_modules_is_called_for_a_record_from_elsewhere(place: BoundWorkspace, tmp_path: Path):
    variant = recorded(place)
    facts = place.store.variant_record(variant.name).facts
    touched = tmp_path / "touched"
    harmful = {"build": "os:system", "options": {"command": f"touch {touched}"}}
    place.store.save_variant(variant.value, network={**facts["network"], **harmful})  # type: ignore[dict-item]
    with pytest.raises(DoesNotApply, match="Os:system does not say"):
        again(place).find("one").analyze("behaviour.metrics")
    assert not touched.exists()


def test_one_process_at_a_time_records_a_run(place: BoundWorkspace):
    model = own.seeded()
    with (
        place.record("one", model, probe=own.pairs()),
        pytest.raises(Busy),
        again(place).record("one", model, probe=own.pairs()),
    ):
        pass
