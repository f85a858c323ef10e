"""Foreign checkpoints become variants; what the file truly says of its training decides which."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from miscope.bound import BoundWorkspace
from miscope.errors import BadFile, BadValue, UnknownName

Make = Callable[..., BoundWorkspace]


@pytest.fixture
def place(workspace: Make) -> BoundWorkspace:
    return workspace()


def tensors(place: BoundWorkspace, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    roles = place.value.context(place.variant("toy.sum").value).model.roles
    return {name: torch.randn(role.shape, generator=generator) for name, role in roles.items()}


def paper_like(
    place: BoundWorkspace, *, decay: float = 0.1, configured: float = 1.0, epochs: int = 21
) -> dict[str, Any]:
    """A file as the paper's training loop leaves it, whose configuration lies about weight decay."""
    return {
        "model": {**tensors(place), "mask": None},
        "optimizer": {
            "state": {0: {"step": epochs}},
            "param_groups": [{"lr": 0.01, "betas": (0.9, 0.98), "eps": 1e-8, "weight_decay": decay, "params": [0]}],
        },
        "train_losses": [1.1 / (i + 1) for i in range(epochs)],
        "test_losses": [2.2 / (i + 1) for i in range(0, epochs, 10)],
        "epoch": epochs - 1,
        "config": {"seed": 4, "v": 5, "weight_decay": configured, "frac_train": 0.6},
    }


def saved(path: Path, content: Mapping[str, Any]) -> Path:
    torch.save(dict(content), path)
    return path


def test_the_optimizer_is_believed_before_the_configuration(place: BoundWorkspace, tmp_path: Path):
    path = saved(tmp_path / "run.pth", paper_like(place))
    (variant,) = place.adopt(path, family="toy.sum")
    assert variant.name == "toy.sum/v5-seed4-width16-wd0.1"
    facts: Any = place.store.variant_record(variant.name).facts
    assert facts["imported"]["run.pth"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts["imported"]["run.pth"]["config"]["weight_decay"] == 1.0
    assert facts["imported"]["run.pth"]["optimizer"]["weight_decay"] == 0.1


def test_weights_are_of_the_step_after_the_last_recorded_loss(place: BoundWorkspace, tmp_path: Path):
    (variant,) = place.adopt(saved(tmp_path / "run.pth", paper_like(place)), family="toy.sum")
    assert variant.steps == [21]
    assert variant.metric("train_loss")[0].tolist() == list(range(21))
    assert variant.metric("test_loss")[0].tolist() == [0, 10, 20]
    assert variant.metric("test_loss")[1].tolist() == [2.2 / (i + 1) for i in (0, 10, 20)]
    weights = variant.at(21).checkpoint.weights
    assert all(torch.equal(weights[name], tensor) for name, tensor in tensors(place).items())


@pytest.mark.parametrize(("epochs", "every"), [(21, 10), (50_000, 10), (107_791, 10), (997, 4), (100, 1), (301, 100)])
def test_the_epochs_of_a_sparser_test_loss_are_found(place: BoundWorkspace, tmp_path: Path, epochs: int, every: int):
    content = {**paper_like(place), "train_losses": [1.0] * epochs, "test_losses": [1.0] * len(range(0, epochs, every))}
    (variant,) = place.adopt(saved(tmp_path / "run.pth", content), family="toy.sum")
    assert variant.metric("test_loss")[0].tolist() == list(range(0, epochs, every))


def test_files_trained_differently_are_different_variants(place: BoundWorkspace, tmp_path: Path):
    one = saved(tmp_path / "a.pth", paper_like(place, decay=0.1))
    two = saved(tmp_path / "b.pth", paper_like(place, decay=1.0))
    assert [v.name for v in place.adopt([one, two], family="toy.sum")] == [
        "toy.sum/v5-seed4-width16-wd0.1",
        "toy.sum/v5-seed4-width16",
    ]


def test_what_one_says_decides_over_what_the_file_says(place: BoundWorkspace, tmp_path: Path):
    path = saved(tmp_path / "run.pth", paper_like(place))
    (variant,) = place.adopt(path, family="toy.sum", params={"seed": 9, "weight_decay": 0.5})
    assert variant.name == "toy.sum/v5-seed9-width16-wd0.5"


def test_losses_that_are_all_float32_numbers_were_computed_in_float32(place: BoundWorkspace, tmp_path: Path):
    content = paper_like(place)
    content["train_losses"] = torch.tensor(content["train_losses"], dtype=torch.float32).tolist()
    (variant,) = place.adopt(saved(tmp_path / "run.pth", content), family="toy.sum")
    assert variant.value.training is not None
    assert variant.value.training.loss_dtype == "float32"


def test_adopting_twice_changes_nothing(place: BoundWorkspace, tmp_path: Path):
    path = saved(tmp_path / "run.pth", paper_like(place))
    (variant,) = place.adopt(path, family="toy.sum")
    before = place.ask("FROM metrics ORDER BY ALL").to_pylist()
    place.adopt(path, family="toy.sum")
    assert place.ask("FROM metrics ORDER BY ALL").to_pylist() == before
    assert variant.steps == [21]


def test_a_folder_of_named_steps_becomes_one_variant(place: BoundWorkspace, tmp_path: Path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for step in (0, 500):
        save_file(tensors(place, step), folder / f"step_{step}.safetensors")
    save_file(tensors(place, 7), folder / "checkpoint_epoch_00999.safetensors")
    (variant,) = place.adopt(folder, family="toy.sum")
    assert variant.steps == [0, 500, 1000]
    assert torch.equal(variant.at(500).checkpoint.weights["W_E"], tensors(place, 500)["W_E"])


def test_a_list_of_states_becomes_the_steps_of_one_variant(place: BoundWorkspace, tmp_path: Path):
    content = {"state_dicts": [tensors(place, 0), tensors(place, 1)], "epochs": [99, 199], "config": {"seed": 2}}
    (variant,) = place.adopt(saved(tmp_path / "all.pth", content), family="toy.sum")
    assert (variant.name, variant.steps) == ("toy.sum/v5-seed2-width16", [100, 200])


def test_miscopes_own_checkpoints_are_adopted_with_their_step(place: BoundWorkspace, tmp_path: Path, workspace: Make):
    from miscope.checkpoint import Checkpoint
    from miscope.store.store import Store

    elsewhere = Store(tmp_path / "elsewhere")
    elsewhere.save_variant(place.variant("toy.sum").value)
    path = elsewhere.save_checkpoint("toy.sum/v5-seed0-width16", Checkpoint(step=40, weights=tensors(place)))
    path = path.rename(tmp_path / "renamed.safetensors")
    (variant,) = place.adopt(path, family="toy.sum")
    assert variant.steps == [40]


def test_a_file_that_fits_several_families_asks_which(place: BoundWorkspace, tmp_path: Path):
    path = saved(tmp_path / "step_5.pth", tensors(place))
    with pytest.raises(BadFile) as raised:
        place.adopt(path)
    assert "It fits 2 families: toy.sum, toy.fourier." in str(raised.value)


class Executed:
    """Pickles into a call."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('executed')",)


def test_nothing_in_a_file_is_executed(place: BoundWorkspace, tmp_path: Path):
    path = tmp_path / "step_1.pth"
    torch.save({"model": Executed()}, path)
    with pytest.raises(BadFile, match="code is never run"):
        place.adopt(path, family="toy.sum")


@pytest.mark.parametrize("name", ["run.pth", "step_1.safetensors"])
def test_a_truncated_file_is_named_and_nothing_is_written(place: BoundWorkspace, tmp_path: Path, name: str):
    good = saved(tmp_path / "good.pth", paper_like(place))
    bad = tmp_path / name
    bad.write_bytes(good.read_bytes()[:200])
    with pytest.raises(BadFile) as raised:
        place.adopt([good, bad], family="toy.sum")
    assert raised.value.path == str(bad)
    assert place.names() == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"W_E": torch.zeros(2, 2)}, "does not recognise its tensors; for it, W_E is (2, 2) and would be (5, 8)"),
        ({"losses": [1.0]}, "It holds no weights, but: losses."),
        ([torch.zeros(1)], "It holds a list, not weights by name."),
    ],
)
def test_a_foreign_file_is_refused_with_what_it_holds(
    place: BoundWorkspace, tmp_path: Path, content: object, problem: str
):
    path = tmp_path / "step_3.pth"
    torch.save(content, path)
    with pytest.raises(BadFile) as raised:
        place.adopt(path, family="toy.sum")
    assert problem in str(raised.value)
    assert place.names() == []


def test_a_file_without_a_step_asks_for_one_in_its_name(place: BoundWorkspace, tmp_path: Path):
    with pytest.raises(BadFile, match="Name it step_<N>"):
        place.adopt(saved(tmp_path / "weights.pth", tensors(place)), family="toy.sum")


def test_bad_arguments_are_refused(place: BoundWorkspace, tmp_path: Path):
    path = saved(tmp_path / "step_3.pth", tensors(place))
    (tmp_path / "notes.txt").touch()
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadFile, match="It is not there"):
        place.adopt(tmp_path / "nope.pth")
    with pytest.raises(BadFile, match="Its name ends in none of"):
        place.adopt(tmp_path / "notes.txt")
    with pytest.raises(BadFile, match="It holds no"):
        place.adopt(tmp_path / "empty")
    with pytest.raises(BadValue, match="There is nothing to adopt"):
        place.adopt([])
    with pytest.raises(UnknownName, match="There is no field named 'sed'"):
        place.adopt(path, family="toy.sum", params={"sed": 1})
    with pytest.raises(BadValue, match="refuses seed=-1"):
        place.adopt(path, family="toy.sum", params={"seed": -1})
