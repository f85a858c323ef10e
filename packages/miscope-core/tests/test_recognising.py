"""A foreign file is of a family when all its tensors have their place and its configuration says nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from miscope.bound import BoundWorkspace
from miscope.errors import BadValue
from miscope.store.leftovers import unused
from miscope.testing.toy import ToyFamily

Make = Callable[..., BoundWorkspace]


@pytest.fixture
def place(workspace: Make) -> BoundWorkspace:
    return workspace()


def tensors(values: int = 5, seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    roles = ToyFamily().model(ToyFamily.params(values=values)).roles
    return {name: torch.randn(role.shape, generator=generator) for name, role in roles.items()}


def saved(path: Path, state: Mapping[str, Tensor], **more: object) -> Path:
    torch.save({"model": dict(state), "step": 10, **more}, path)
    return path


def refused(place: BoundWorkspace, path: Path, **options: Any) -> str:
    with pytest.raises(BadValue) as raised:
        place.adopt(path, **{"family": "toy.sum", **options})
    assert place.names() == []
    return str(raised.value)


def facts(place: BoundWorkspace, path: Path, **options: Any) -> Any:
    (variant,) = place.adopt(path, **{"family": "toy.sum", **options})
    return place.store.variant_record(variant.name).facts


def test_a_second_layer_is_another_model(place: BoundWorkspace, tmp_path: Path):
    second = {f"blocks.1.mlp.W_{part}": torch.ones(2, 3) for part in ("in", "out")}
    path = saved(tmp_path / "two.pth", tensors() | second)
    assert refused(place, path) == (
        f"{path} is of another model than toy.sum: it holds 2 tensors that have no place in it.\n"
        "blocks.1.mlp.W_in (2, 3), blocks.1.mlp.W_out (2, 3).\n"
        "Give the family it is of (--family); or leave them out on purpose:  --ignore 'blocks.1.mlp.*'"
    )


def test_weights_of_a_layer_norm_are_left_out_only_on_purpose_and_the_record_says_so(
    place: BoundWorkspace, tmp_path: Path
):
    path = saved(tmp_path / "norm.pth", tensors() | {"ln_final.w": torch.ones(8)})
    assert refused(place, path) == (
        f"{path} is of another model than toy.sum: it holds a tensor that has no place in it.\n"
        "ln_final.w (8).\n"
        "Give the family it is of (--family); or leave them out on purpose:  --ignore 'ln_final.w'"
    )
    recorded = facts(place, path, ignore=["ln_*"])
    assert recorded["imported"]["norm.pth"]["notes"][-1] == "Left out: ln_final.w (8)."


def test_buffers_and_biases_of_zeros_change_no_answer(place: BoundWorkspace, tmp_path: Path):
    idle = {"blocks.0.attn.mask": torch.ones(3, 3), "b_U": torch.zeros(5)}
    assert facts(place, saved(tmp_path / "idle.pth", tensors() | idle))["imported"]["idle.pth"]["notes"] == []
    assert "b_U (5)." in refused_elsewhere(tmp_path, tensors() | {"b_U": torch.ones(5)})


def refused_elsewhere(tmp_path: Path, state: Mapping[str, Tensor]) -> str:
    from miscope.bound import open_bound
    from miscope.testing import tables

    return refused(open_bound(tmp_path / "other", tables()), saved(tmp_path / "other.pth", state))


@pytest.mark.parametrize(
    ("word", "value", "true"),
    [
        ("act_type", "GELU", "relu"),
        ("activation", "torch.nn.functional.gelu", "relu"),
        ("fn_name", "subtract", "add"),
        ("num_layers", 2, "1"),
        ("d_mlp", 64, "16"),
        ("normalization_type", "LNPre", "none"),
        ("use_ln", True, "none"),
    ],
)
def test_a_configuration_that_says_another_model_is_refused(
    place: BoundWorkspace, tmp_path: Path, word: str, value: object, true: str
):
    path = saved(tmp_path / "run.pth", tensors(), config={word: value})
    assert refused(place, path) == (
        f"{path} is of another model than toy.sum.\n"
        f"It says {word}={value!r}, and of toy.sum/v5-seed0-width16 it is {true}.\n"
        f"Give the family it is of (--family); or, if the word is wrong, leave it out of account:  --ignore {word}"
    )
    assert facts(place, path, ignore=[word])["imported"]["run.pth"]["config"] == {word: value}


def test_a_configuration_that_says_the_same_in_other_words_is_none(place: BoundWorkspace, tmp_path: Path):
    words = {"act_fn": "torch.nn.ReLU", "fn_name": "Add", "n_layers": 1, "normalization_type": None, "use_ln": False}
    path = saved(tmp_path / "run.pth", tensors(), config={**words, "d_model": 8, "d_head": 4})
    assert facts(place, path)["origin"] == "imported"


def test_an_optimizer_that_no_record_can_hold_is_refused(place: BoundWorkspace, tmp_path: Path):
    group = {"lr": 1e-2, "betas": (0.9, 0.98), "eps": 1e-8, "weight_decay": 1.0, "amsgrad": True, "params": [0]}
    path = saved(tmp_path / "run.pth", tensors(), optimizer={"state": {}, "param_groups": [group]})
    assert "It says amsgrad=True, and of toy.sum/v5-seed0-width16 it is False.\n" in refused(place, path)


def test_muon_is_known_by_its_group_and_its_settings_are_muons_own(place: BoundWorkspace, tmp_path: Path):
    group = {"lr": 0.02, "weight_decay": 0.5, "momentum": 0.9, "nesterov": True, "ns_steps": 6, "eps": 1e-7}
    path = saved(tmp_path / "run.pth", tensors(), optimizer={"state": {}, "param_groups": [{**group, "params": [0]}]})
    (variant,) = place.adopt(path, family="toy.sum")
    training = variant.value.training
    assert training is not None
    assert (training.optimizer, training.muon_momentum, training.muon_ns_steps) == ("muon", 0.9, 6)
    assert (training.momentum, training.eps, training.weight_decay) == (0.0, 1e-8, 0.5)


def test_every_training_field_a_file_names_is_taken_before_the_default(place: BoundWorkspace, tmp_path: Path):
    config = {"warmup_steps": 10, "optimizer": "Adam", "clip_norm": 0.5, "batch_size": 8}
    (variant,) = place.adopt(saved(tmp_path / "run.pth", tensors(), config=config), family="toy.sum")
    training = variant.value.training
    assert training is not None
    assert (training.warmup_steps, training.optimizer, training.clip_norm, training.batch_size) == (10, "adam", 0.5, 8)


def test_what_neither_the_file_nor_the_wish_says_is_told_as_assumed(place: BoundWorkspace, tmp_path: Path):
    path = saved(tmp_path / "run.pth", tensors(), config={"weight_decay": 1.0, "lr": 0.01, "optimizer": "adamw"})
    assert facts(place, path, params={"batch_size": None})["assumed"] == {
        "seed": 0,
        "betas": [0.9, 0.98],
        "eps": 1e-8,
        "train_fraction": 0.6,
        "loss_dtype": "float64",
    }


def test_a_later_file_that_says_a_field_ends_the_assumption(place: BoundWorkspace, tmp_path: Path):
    bare = saved(tmp_path / "a.pth", tensors())
    assert facts(place, bare)["assumed"]["seed"] == 0
    telling = saved(tmp_path / "b.pth", tensors(seed=1), config={"seed": 0}, step=20)
    assert "seed" not in facts(place, telling)["assumed"]


def test_two_files_of_one_name_but_two_configurations_are_not_fused(place: BoundWorkspace, tmp_path: Path):
    for step, finite in ((10, False), (20, True)):
        saved(tmp_path / f"at{step}.pth", tensors(seed=step), step=step, config={"is_finite": finite})
    assert refused(place, tmp_path) == (
        "at10.pth and at20.pth are not of one training, and both would be toy.sum/v5-seed0-width16.\n"
        "at10.pth says is_finite=False, at20.pth says is_finite=True.\n"
        "Import one of them with the parameter in which they differ (--param), or under another name (--as NAME). "
        "--ignore is_finite leaves it out of account."
    )


class Rearranging:
    """A layout whose tensors are transposed, split and joined on the way to the roles."""

    def adopt(self, state: Mapping[str, Tensor], params: Any) -> dict[str, Tensor]:
        both = torch.cat([state["left"].T.contiguous(), state["right"]])
        return {"W_E": both - both.mean(), "W_U": state["head"][:1]}


def test_a_tensor_is_used_however_it_is_rearranged():
    state = {name: torch.ones(2, 2) for name in ("left", "right", "head", "ln.w")} | {"count": torch.ones(1).long()}
    family: Any = Rearranging()
    assert unused(family, state, None) == ("ln.w", "count")
