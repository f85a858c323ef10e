"""State dicts of a module of one's own become a variant, with the function that makes it and a file of inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn

import miscope
from miscope.bound import BoundWorkspace
from miscope.errors import BadFile, BadValue
from miscope.importing.foreign.probe import read_probe
from miscope.store.origin import origin_of
from miscope.testing import tables
from miscope.testing import toy_modules as own

Run = Callable[..., tuple[int, str, str]]
ADDER: dict[str, Any] = {"name": "mine", "build": "miscope.testing.toy_modules:adder", "names": own.NAMES}
A, B = own.PAIRS.T.numpy().copy()
ARRAYS = {"inputs": own.PAIRS.numpy(), "labels": own.SUMS.numpy(), "a": A, "b": B, "train": own.TRAIN.numpy()}


@pytest.fixture
def place(tmp_path: Path) -> BoundWorkspace:
    return miscope.open(tmp_path / "w", plugins=tables())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """State dicts of three steps, as a wrapped model leaves them, with a loss each; and a probe beside the folder."""
    folder = tmp_path / "run"
    folder.mkdir()
    for step in (0, 10, 20):
        state = {f"module.{name}": weight for name, weight in own.seeded(step).state_dict().items()}
        torch.save({"model": state, "train_loss": 1 / (step + 1)}, folder / f"step_{step}.pt")
    np.savez(tmp_path / "pairs.npz", grid=np.array(["a", "b"]), **ARRAYS)
    return folder


def test_a_folder_of_state_dicts_becomes_a_variant_with_the_whole_catalogue(place: BoundWorkspace, folder: Path):
    variant = place.adopt_module(folder, probe=folder.parent / "pairs.npz", **ADDER)
    assert (variant.name, variant.steps) == ("pytorch.module/mine", [0, 10, 20])
    assert origin_of(place.store.variant_record(variant.name).facts) == "imported"
    assert variant.metric("train_loss")[1].round(3).tolist() == [1, 0.091, 0.048]
    model = own.seeded(10)
    weights = variant.at(10).checkpoint.weights
    assert torch.equal(weights["hidden.weight"], model.hidden.weight)
    assert torch.equal(weights["W_E"], model.embed.weight)
    other = miscope.open(place.root, plugins=tables()).find("mine")
    assert {o.state for o in other.analyze("behaviour.metrics", "neurons.frequencies")} == {"saved"}
    loss = nn.functional.cross_entropy(model(own.PAIRS), own.SUMS).item()
    assert other.arrays("behaviour.metrics", step=10)["all_loss"] == pytest.approx(loss, rel=1e-5)


def test_what_the_module_makes_by_itself_may_lie_in_the_file(place: BoundWorkspace, tmp_path: Path):
    model = own.seeded(kind=own.Convolutional)
    model(torch.rand(8, 1, 4, 4))
    state = {**model.state_dict(), "norm.running_mean": torch.ones(3)}
    torch.save(state, tmp_path / "step_5.pt")
    given = {"name": "seer", "build": "miscope.testing.toy_modules:Convolutional"}
    variant = place.adopt_module(tmp_path / "step_5.pt", probe=torch.rand(6, 1, 4, 4), **given)
    assert variant.at(5).checkpoint.weights["norm.running_mean"].tolist() == [1, 1, 1]
    assert "norm.num_batches_tracked" in state
    assert {o.state for o in variant.analyze("units.statistics", "parameters.norms")} <= {"saved", "skipped"}


@pytest.mark.parametrize(
    ("changed", "error", "text"),
    [
        (
            {"build": "miscope.testing.toy_modules:nobody_says_what"},
            BadValue,
            "does not say that it returns an nn.Module",
        ),
        ({"options": {"width": 9}}, BadFile, "hidden.weight"),
        ({"probe": torch.rand(6, 2)}, BadValue, "The model does not run on the inputs of the probe, (6, 2)."),
        ({"probe": "no_such.npz"}, BadFile, "No such file"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    place: BoundWorkspace, folder: Path, changed: Mapping[str, Any], error: type[Exception], text: str
):
    with pytest.raises(error) as raised:
        place.adopt_module(folder, **{"probe": own.pairs(), **ADDER, **changed})
    assert text in str(raised.value)
    assert place.names() == []


def test_nothing_is_imported_into_what_was_recorded_and_nothing_recorded_into_what_was_imported(
    place: BoundWorkspace, folder: Path
):
    model = own.seeded()
    with place.record("mine", model, probe=own.pairs(), names=own.NAMES) as recorder:
        recorder.checkpoint(0, model)
    with pytest.raises(BadValue) as error:
        place.adopt_module(folder, probe=own.pairs(), **ADDER)
    first, second, todo = str(error.value).split("\n")
    assert first == "pytorch.module/mine was recorded, so nothing is imported into it."
    assert second.startswith("It has 1 checkpoint, at step 0; step_0.pt, step_10.pt, step_20.pt would add")
    assert todo.startswith("To keep them apart:  miscope")
    place.adopt_module(folder, probe=own.pairs(), **{**ADDER, "name": "other"})
    with (
        pytest.raises(BadValue) as error,
        place.record("other", model, probe=own.pairs(), names=own.NAMES, build=ADDER["build"]),
    ):
        pass
    assert str(error.value) == (
        "pytorch.module/other was imported, so nothing is recorded into it.\n"
        "It has 3 checkpoints, the last at step 20.\nRecord under another name."
    )


def test_a_file_that_fits_no_family_is_none_of_any_module(place: BoundWorkspace, tmp_path: Path):
    torch.save(own.seeded().state_dict(), tmp_path / "step_2.pt")
    with pytest.raises(BadFile) as raised:
        place.adopt(tmp_path / "step_2.pt")
    assert "pytorch.module" not in str(raised.value)


def test_a_probe_is_read_from_either_kind_of_file_alike(folder: Path, tmp_path: Path):
    save_file(ARRAYS, tmp_path / "pairs.safetensors", metadata={"grid": "a, b"})
    one, other = read_probe(tmp_path / "pairs.npz"), read_probe(tmp_path / "pairs.safetensors")
    assert one.digest == other.digest
    assert (one.name, one.grid, set(one.columns)) == ("pairs", ("a", "b"), {"a", "b"})
    assert one.train is not None
    assert one.train.sum() == 17
    counted = np.eye(25, 2, dtype=bool)
    np.savez(tmp_path / "padded.npz", inputs=ARRAYS["inputs"], counted=counted)
    padded = read_probe(tmp_path / "padded.npz")
    assert padded.counted is not None
    assert padded.counted.tolist() == counted.tolist()


def test_a_probe_that_would_have_to_be_unpickled_is_refused(tmp_path: Path):
    path = tmp_path / "pairs.npz"
    np.savez(path, inputs=np.array([{"a": 1}], dtype=object))
    with pytest.raises(BadFile) as error:
        read_probe(path)
    assert str(error.value) == (
        f"{path} cannot be read.\n"
        "It is no such file: ValueError: Object arrays cannot be loaded when allow_pickle=False.\n"
        "Save it with numpy.savez(path, inputs=..., labels=..., ...) or safetensors; docs/importing.md has the names."
    )


def test_the_command_imports_a_folder_of_ones_own(command: Run, folder: Path, monkeypatch: pytest.MonkeyPatch):
    words = ["--build", ADDER["build"], "--option", "width=12", "--name", "act=blocks.0.mlp.hook_post"]
    code, out, err = command("import", folder, "--as", "mine", "--probe", folder.parent / "pairs.npz", *words)
    assert (code, out) == (0, "pytorch.module/mine: 3 checkpoints\n"), err
    code, _, err = command("import", folder, "--build", ADDER["build"])
    assert code == 1
    assert err == (
        "The checkpoints of a module of your own need --as and --probe.\n"
        "A name, the function that makes the module, and a file with the inputs it is shown.\n"
        "Give all three:  --as NAME --build package.module:function --probe FILE\n"
    )
