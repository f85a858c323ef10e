"""What a file says of its training counts wherever it says it, and is refused where it says two things."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from miscope.bound import BoundWorkspace
from miscope.errors import BadFile, BadValue, MiscopeError
from miscope.testing.toy import ToyFamily

Make = Callable[..., BoundWorkspace]


@pytest.fixture
def place(workspace: Make) -> BoundWorkspace:
    return workspace()


def state(seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shapes = {"W_E": (5, 8), "blocks.0.mlp.W_in": (8, 16), "blocks.0.mlp.W_out": (16, 8), "W_U": (8, 5)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def written(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


WHERE: dict[str, Callable[[int], dict[str, Any]]] = {
    "at the top": lambda seed: {"seed": seed},
    "nested": lambda seed: {"config": {"model": {"width": 16}, "run": {"seed": seed}}},
    "as JSON text": lambda seed: {"config": json.dumps({"seed": seed})},
    "as a tensor": lambda seed: {"config": {"seed": torch.tensor(seed)}},
    "beside another configuration": lambda seed: {"config": {"width": 16}, "args": {"seed": seed}},
}


@pytest.mark.parametrize("where", WHERE)
def test_a_seed_is_read_wherever_the_file_says_it(place: BoundWorkspace, tmp_path: Path, where: str):
    files = [written(tmp_path / f"step_{seed}.pt", {"model": state(seed), **WHERE[where](seed)}) for seed in (1, 2)]
    variants = place.adopt(files, family="toy.sum")
    assert [variant.name for variant in variants] == ["toy.sum/v5-seed1-width16", "toy.sum/v5-seed2-width16"]
    assert [variant.steps for variant in variants] == [[1], [2]]
    assert "seed" not in place.store.variant_record(variants[0].name).facts["assumed"]  # pyright: ignore


def test_the_configuration_of_entries_that_agree_is_the_files(place: BoundWorkspace, tmp_path: Path):
    entries = [{"step": step, "model": state(step), "config": {"seed": 3}, "lr": 0.1 / (step + 1)} for step in (0, 7)]
    (variant,) = place.adopt(written(tmp_path / "all.pt", entries), family="toy.sum")
    assert (variant.name, variant.steps) == ("toy.sum/v5-seed3-width16", [0, 7])


TWICE: dict[str, tuple[Callable[[], object], str]] = {
    "two configurations": (
        lambda: {"model": state(), "config": {"seed": 1}, "args": {"seed": 2}},
        "It says seed twice: 1 (config.seed) and 2 (args.seed).\n"
        "Give the one that is true:  --param seed=VALUE; or leave both out of account:  --ignore seed",
    ),
    "two parts of one": (
        lambda: {"model": state(), "cfg": {"data": {"seed": 1}, "init": {"seed": 2}}},
        "It says seed twice: 1 (cfg.data.seed) and 2 (cfg.init.seed).\n"
        "Give the one that is true:  --param seed=VALUE; or leave both out of account:  --ignore seed",
    ),
    "top and configuration": (
        lambda: {"model": state(), "config": {"weight_decay": 0.1}, "weight_decay": 0.3},
        "It says weight_decay twice: 0.1 (weight_decay) and 0.3 (its top).\n"
        "Give the one that is true:  --param weight_decay=VALUE; or leave both out of account:  --ignore weight_decay",
    ),
    "entries of a list": (
        lambda: [{"step": s, "model": state(s), "config": {"seed": s}} for s in (0, 1)],
        "It says seed twice: 0 (entry 0's config.seed) and 1 (entry 1's config.seed).\n"
        "Give the one that is true:  --param seed=VALUE; or leave both out of account:  --ignore seed",
    ),
    "two words for one field": (
        lambda: {"model": state(), "config": {"lr": 1e-3, "learning_rate": 1e-2}},
        "It says learning_rate twice: 0.01 (learning_rate) and 0.001 (lr).\n"
        "Give the one that is true:  --param learning_rate=VALUE; or leave both out of account:  "
        "--ignore learning_rate",
    ),
    "two kinds of model": (
        lambda: {"model": state(), "config": {"enc": {"act_fn": "relu"}, "dec": {"act_fn": "gelu"}}},
        "It says act_fn twice: 'relu' (config.enc.act_fn) and 'gelu' (config.dec.act_fn).\n"
        "Correct one of them; or leave both out of account:  --ignore act_fn",
    ),
}


@pytest.mark.parametrize("case", TWICE)
def test_a_file_that_says_two_things_is_refused(place: BoundWorkspace, tmp_path: Path, case: str):
    make, message = TWICE[case]
    path = written(tmp_path / "step_3.pt", make())
    with pytest.raises(BadFile) as raised:
        place.adopt(path, family="toy.sum")
    assert str(raised.value) == f"{path} cannot be read.\n{message}"
    assert place.names() == []


@pytest.mark.parametrize("chosen", [{"params": {"seed": 2}}, {"ignore": ["seed"]}])
def test_of_two_things_one_may_be_chosen(place: BoundWorkspace, tmp_path: Path, chosen: Any):
    path = written(tmp_path / "step_3.pt", {"model": state(), "config": {"seed": 1}, "args": {"seed": 2}})
    (variant,) = place.adopt(path, family="toy.sum", **chosen)
    assert variant.name == f"toy.sum/v5-seed{2 if 'params' in chosen else 0}-width16"


def test_words_that_mean_nothing_here_may_differ_in_parts(place: BoundWorkspace, tmp_path: Path):
    config = {"data": {"name": "pairs"}, "model": {"name": "mlp"}, "eps": 1e-5, "optim": {"eps": 1e-8}}
    (variant,) = place.adopt(written(tmp_path / "step_3.pt", {"model": state(), "config": config}), family="toy.sum")
    imported_files: Any = place.store.variant_record(variant.name).facts["imported"]
    assert imported_files["step_3.pt"]["config"] == {
        "config.data.name": "pairs",
        "config.model.name": "mlp",
        "config.eps": 1e-5,
        "config.optim.eps": 1e-8,
    }


def test_what_is_no_plain_value_is_said(place: BoundWorkspace, tmp_path: Path):
    config = {"seed": torch.zeros(2), "mode": {"kinds": [torch.zeros(1)]}}
    (variant,) = place.adopt(written(tmp_path / "step_3.pt", {"model": state(), "config": config}), family="toy.sum")
    imported_files: Any = place.store.variant_record(variant.name).facts["imported"]
    note = "Of its configuration 'config.seed', 'config.mode.kinds' could not be read: no plain values."
    assert imported_files["step_3.pt"]["notes"] == [note]


OTHER_MODELS = [
    ({"fn": "subtract"}, "fn='subtract'", "add"),
    ({"task": "multiplication mod p"}, "task='multiplication mod p'", "add"),
    ({"d_vocab": 6}, "d_vocab=6", "5"),
    ({"d_vocab_out": 7}, "d_vocab_out=7", "5"),
]


@pytest.mark.parametrize(("config", "stated", "true"), OTHER_MODELS)
def test_a_word_for_another_task_or_size_is_refused(
    place: BoundWorkspace, tmp_path: Path, config: Any, stated: str, true: str
):
    path = written(tmp_path / "step_3.pt", {"model": state(), "config": config})
    with pytest.raises(BadValue) as raised:
        place.adopt(path, family="toy.sum")
    assert str(raised.value).split("\n")[:2] == [
        f"{path} is of another model than toy.sum.",
        f"It says {stated}, and of toy.sum/v5-seed0-width16 it is {true}.",
    ]


@pytest.mark.parametrize("config", [{"task": "grokking"}, {"task": "addition"}, {"gated_mlp": True, "attn_only": True}])
def test_a_word_that_says_nothing_of_such_a_model_is_passed_over(place: BoundWorkspace, tmp_path: Path, config: Any):
    path = written(tmp_path / "step_3.pt", {"model": state(), "config": config})
    assert [variant.steps for variant in place.adopt(path, family="toy.sum")] == [[3]]


def test_groups_of_an_optimizer_that_differ_are_said(place: BoundWorkspace, tmp_path: Path):
    groups = [{"lr": 1e-3, "weight_decay": 1.0, "params": [0]}, {"lr": 1e-3, "weight_decay": 0.0, "params": [1]}]
    content = {"model": state(), "optimizer": {"state": {}, "param_groups": groups}}
    (variant,) = place.adopt(written(tmp_path / "step_3.pt", content), family="toy.sum")
    imported_files: Any = place.store.variant_record(variant.name).facts["imported"]
    assert imported_files["step_3.pt"]["notes"] == [
        "Its optimizer has 2 groups of parameters that differ; the record holds the first's: weight_decay 1.0."
    ]


def test_the_abbreviations_of_a_slug_are_words_of_a_configuration(place: BoundWorkspace, tmp_path: Path):
    config = {"lr": 0.02, "wd": 0.5, "frac": 0.6}
    (variant,) = place.adopt(written(tmp_path / "step_3.pt", {"model": state(), "config": config}), family="toy.sum")
    training = variant.value.training
    assert training is not None
    assert (training.learning_rate, training.weight_decay, training.train_fraction) == (0.02, 0.5, 0.6)


def test_sizes_that_the_tensors_decide_are_taken_from_them(place: BoundWorkspace, tmp_path: Path):
    wide = {"W_E": (7, 8), "blocks.0.mlp.W_in": (8, 24), "blocks.0.mlp.W_out": (24, 8), "W_U": (8, 7)}
    path = written(tmp_path / "step_3.pt", {name: torch.ones(shape) for name, shape in wide.items()})
    (variant,) = place.adopt(path, family="toy.sum")
    assert variant.name == "toy.sum/v7-seed0-width24"
    assert "values" not in place.store.variant_record(variant.name).facts["assumed"]  # pyright: ignore


def test_sizes_that_are_given_are_not_taken_from_the_tensors(place: BoundWorkspace, tmp_path: Path):
    path = written(tmp_path / "step_3.pt", state())
    with pytest.raises(MiscopeError, match=r"W_E is \(5, 8\) and would be \(7, 8\)"):
        place.adopt(path, family="toy.sum", params={"values": 7})
    assert ToyFamily.params(values=7)
