"""Every layout that docs/importing.md accepts, written by a small script and imported into the toy."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from miscope.bound import BoundVariant, BoundWorkspace
from miscope.errors import BadFile

Make = Callable[..., BoundWorkspace]
State = dict[str, torch.Tensor]


@pytest.fixture
def place(workspace: Make) -> BoundWorkspace:
    return workspace()


def state(seed: int = 0) -> State:
    """Weights of the toy (5 values, width 16) by role."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"W_E": (5, 8), "blocks.0.mlp.W_in": (8, 16), "blocks.0.mlp.W_out": (16, 8), "W_U": (8, 5)}
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def imported(place: BoundWorkspace, path: Path, **fields: Any) -> BoundVariant:
    (variant,) = place.adopt(path, family="toy.sum", params=fields)
    return variant


def written(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)
    return path


def refusal(place: BoundWorkspace, path: Path) -> str:
    """The message without the line that names the file; nothing may have been written."""
    with pytest.raises(BadFile) as raised:
        place.adopt(path, family="toy.sum")
    assert place.names() == []
    first, _, rest = str(raised.value).partition("\n")
    assert first == f"{raised.value.path} cannot be read."
    return rest


def wrapped(prefix: str) -> State:
    return {f"{prefix}{name}": tensor for name, tensor in state().items()}


def hooked() -> Mapping[str, Any]:
    """As a HookedTransformer names its tensors, buffers among them."""
    held = state()
    buffers = {"blocks.0.attn.mask": torch.ones(3, 3, dtype=torch.bool), "blocks.0.attn.IGNORE": torch.tensor(-1e5)}
    mlp = {name: held[name] for name in held if name.startswith("blocks")}
    return {"embed.W_E": held["W_E"], **mlp, "unembed.W_U": held["W_U"], **buffers}


ONE_STATE: dict[str, Callable[[], object]] = {
    "the bare state": state,
    "model": lambda: {"model": state()},
    "state_dict": lambda: {"state_dict": state()},
    "model_state_dict": lambda: {"model_state_dict": state()},
    "weights": lambda: {"weights": state()},
    "a wrapper in a wrapper": lambda: {"model": {"state_dict": state(), "name": "toy"}},
    "beside a mask": lambda: {"model": {**state(), "mask": None}},
    "module.": lambda: wrapped("module."),
    "_orig_mod.": lambda: wrapped("_orig_mod."),
    "model.": lambda: {"state_dict": wrapped("model.")},
    "module._orig_mod.": lambda: wrapped("module._orig_mod."),
    "_orig_mod.module.": lambda: wrapped("_orig_mod.module."),
    "module.model.": lambda: wrapped("module.model."),
    "a compiled part": lambda: {n.replace("blocks.0.", "blocks.0._orig_mod."): t for n, t in state().items()},
    "parameters": lambda: {name: torch.nn.Parameter(tensor) for name, tensor in state().items()},
    "HookedTransformer": hooked,
    "HookedTransformer in a wrapper": lambda: {f"module.{name}": tensor for name, tensor in hooked().items()},
    "a configuration object": lambda: {"model": state(), "args": Namespace(lr=0.01, seed=0)},
}


@pytest.mark.parametrize("layout", ONE_STATE)
def test_one_state_is_found_wherever_it_lies(place: BoundWorkspace, tmp_path: Path, layout: str):
    variant = imported(place, written(tmp_path / "step_300.pt", ONE_STATE[layout]()))
    assert variant.steps == [300]
    weights = variant.at(300).checkpoint.weights
    assert {name: tensor.tolist() for name, tensor in weights.items()} == {n: t.tolist() for n, t in state().items()}


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".bin", ".PT", ".Pth"])
def test_suffixes_are_known_in_either_case(place: BoundWorkspace, tmp_path: Path, suffix: str):
    written(tmp_path / "run" / f"step_7{suffix}", state())
    assert imported(place, tmp_path / "run").steps == [7]


def test_a_safetensors_header_gives_the_step(place: BoundWorkspace, tmp_path: Path):
    save_file(state(), tmp_path / "weights.SAFETENSORS", metadata={"step": "40"})
    assert imported(place, tmp_path / "weights.SAFETENSORS").steps == [40]


def states(count: int) -> list[State]:
    return [state(seed) for seed in range(count)]


SEVERAL: dict[str, Callable[[], object]] = {
    "state_dicts": lambda: {"state_dicts": states(3), "steps": [0, 100, 200]},
    "checkpoints": lambda: {"checkpoints": states(3), "checkpoint_epochs": [0, 100, 200], "model": state(2)},
    "tensors of steps": lambda: {"checkpoints": states(3), "steps": torch.tensor([0, 100, 200])},
    "by step": lambda: {"checkpoints": dict(zip((0, 100, 200), states(3), strict=True))},
    "nothing but steps": lambda: dict(zip((0, 100, 200), states(3), strict=True)),
    "states under keys of their own": lambda: {
        "checkpoints": [{"model": held, "lr": 0.01} for held in states(3)],
        "steps": [0, 100, 200],
    },
    "entries that say their steps": lambda: [
        {"step": step, "model": held} for step, held in zip((0, 100, 200), states(3), strict=True)
    ],
    "entries that say their epochs": lambda: {
        "checkpoints": [{"epoch": e, "state_dict": held} for e, held in zip((0, 99, 199), states(3), strict=True)]
    },
    "keys as text": lambda: {"checkpoints": {str(s): held for s, held in zip((0, 100, 200), states(3), strict=True)}},
    "keys that say step": lambda: {f"step_{s}": held for s, held in zip((0, 100, 200), states(3), strict=True)},
    "entries beside the steps of the losses": lambda: {
        "checkpoints": [{"step": s, "model": held} for s, held in zip((0, 100, 200), states(3), strict=True)],
        "steps": [0, 1],
    },
    "a list for it beside another": lambda: {
        "checkpoints": states(3),
        "checkpoint_steps": [0, 100, 200],
        "steps": [1, 2, 3],
    },
    "counted from 0": lambda: {"state_dicts": states(3), "epochs": [0, 99, 199]},
    "counted by its optimizer": lambda: {
        "state_dicts": states(2),
        "epochs": [99, 199],
        "model": state(0),
        "optimizer": {"state": {0: {"step": torch.tensor(200.0)}}, "param_groups": [{"lr": 0.01}]},
    },
}


@pytest.mark.parametrize("layout", SEVERAL)
def test_several_states_become_as_many_steps(place: BoundWorkspace, tmp_path: Path, layout: str):
    variant = imported(place, written(tmp_path / "all.pt", SEVERAL[layout]()))
    steps = [100, 200] if layout == "counted by its optimizer" else [0, 100, 200]
    assert variant.steps == steps
    for seed, step in enumerate(steps):
        assert torch.equal(variant.at(step).checkpoint.weights["W_E"], state(seed)["W_E"])


def test_the_name_of_an_optimizer_is_no_optimizer(place: BoundWorkspace, tmp_path: Path):
    assert imported(place, written(tmp_path / "step_3.pt", {"model": state(), "optimizer": "adam"})).steps == [3]


def test_a_grokking_demo_is_read_whole(place: BoundWorkspace, tmp_path: Path):
    """As TransformerLens' demo saves it: states at every 100th epoch, both losses at every epoch, the pairs of each."""
    content = {
        "model": hooked(),
        "config": {"d_vocab": 5, "act_fn": "relu"},
        "checkpoints": [{**hooked(), "embed.W_E": state(seed)["W_E"]} for seed in (3, 4, 0)],
        "checkpoint_epochs": [99, 199, 299],
        "train_losses": [1.0 / (i + 1) for i in range(300)],
        "test_losses": [2.0 / (i + 1) for i in range(300)],
        "train_indices": torch.arange(15),
        "test_indices": torch.arange(15, 25),
    }
    variant = imported(place, written(tmp_path / "grokking_demo.pth", content))
    assert variant.steps == [100, 200, 300]
    assert torch.equal(variant.at(200).checkpoint.weights["W_E"], state(4)["W_E"])
    assert variant.metric("train_loss")[0].tolist() == list(range(300))
    assert variant.metric("test_loss")[1].tolist() == content["test_losses"]


def test_the_state_beside_a_list_is_a_step_of_its_own(place: BoundWorkspace, tmp_path: Path):
    content = {"model": state(9), "state_dicts": states(2), "epochs": [99, 199], "train_losses": [1.0] * 250}
    variant = imported(place, written(tmp_path / "all.pt", content))
    assert variant.steps == [100, 200, 250]
    assert torch.equal(variant.at(250).checkpoint.weights["W_E"], state(9)["W_E"])


def test_weights_beside_the_model_are_said_to_be_left_out(place: BoundWorkspace, tmp_path: Path):
    content = {"model": state(), "ema": {"module": state(1)}, "again": state()}
    variant = imported(place, written(tmp_path / "step_3.pt", content))
    imported_files: Any = place.store.variant_record(variant.name).facts["imported"]
    note = "The weights are those under 'model'; others, under 'ema', are left out."
    assert imported_files["step_3.pt"]["notes"] == [note]


def test_what_entries_record_of_themselves_is_kept(place: BoundWorkspace, tmp_path: Path):
    entries = [
        {"step": 0, "model": state(0), "train_loss": 2.8, "metrics": {"test_loss": 3.0}},
        {"step": 100, "model": state(1), "train_loss": 2.0},
        {"step": 200, "model": state(2), "train_loss": 1.0, "metrics": {"test_loss": 2.5}, "train_acc": 50.0},
    ]
    variant = imported(place, written(tmp_path / "all.pt", entries))
    series = {name: place.store.metrics(variant.name)[name] for name in ("train_loss", "test_loss", "train_accuracy")}
    assert {name: (s.steps.tolist(), s.values.tolist()) for name, s in series.items()} == {
        "train_loss": ([0, 100, 200], [2.8, 2.0, 1.0]),
        "test_loss": ([0, 200], [3.0, 2.5]),
        "train_accuracy": ([200], [0.5]),
    }
    imported_files: Any = place.store.variant_record(variant.name).facts["imported"]
    assert imported_files["all.pt"]["notes"] == ["'train_acc' goes up to 50: read as per cent."]


def test_the_optimizer_of_the_last_entry_is_the_files(place: BoundWorkspace, tmp_path: Path):
    optimizer = {"state": {0: {"step": torch.tensor(200.0)}}, "param_groups": [{"lr": 0.02}]}
    entries = [{"epoch": 99, "model": state(0)}, {"epoch": 199, "model": state(1), "optimizer": optimizer}]
    variant = imported(place, written(tmp_path / "all.pt", entries))
    assert variant.steps == [100, 200]
    assert variant.value.training is not None
    assert variant.value.training.learning_rate == 0.02


TODO = "Give a file with a state dict of tensors, or with lists 'state_dicts' and 'steps'."
UNREADABLE: dict[str, tuple[Callable[[], object], str]] = {
    "no weights": (lambda: {"notes": [1.0]}, f"It holds no weights, but: notes.\n{TODO}"),
    "losses alone": (
        lambda: {"losses": [1.0]},
        "It holds no weights, but: losses.\nTo take its losses alone:  miscope import --metrics FILE --family NAME",
    ),
    "nothing": (dict, f"It holds no weights, but: nothing.\n{TODO}"),
    "a list of values": (lambda: [torch.zeros(1)], f"It holds a list, not weights by name.\n{TODO}"),
    "a list of states": (
        lambda: states(2),
        "It holds 2 states in a list and does not say of which steps they are.\n"
        "Save {'state_dicts': states, 'steps': steps}, steps the updates made so far, one for each state.",
    ),
    "a list of states under a key": (
        lambda: {"checkpoints": states(2)},
        "It holds 2 states in a list and does not say of which steps they are.\n"
        "Save {'state_dicts': states, 'steps': steps}, steps the updates made so far, one for each state.",
    ),
    "an empty list": (lambda: {"state_dicts": [], "epochs": []}, f"Its list 'state_dicts' is empty.\n{TODO}"),
    "more states than epochs": (
        lambda: {"state_dicts": states(4), "epochs": [0, 100]},
        "Its 'state_dicts' holds 4 states, its 'epochs' 2 numbers.\nSave as many of one as of the other.",
    ),
    "one step twice": (
        lambda: {"state_dicts": states(2), "steps": [5, 5]},
        "'steps' lists 5 twice.\nKeep one state for each step.",
    ),
    "a number for a list": (
        lambda: {"state_dicts": states(2), "epochs": torch.tensor(3)},
        "It holds 2 states in a list and does not say of which steps they are.\n"
        "Save {'state_dicts': states, 'steps': steps}, steps the updates made so far, one for each state.",
    ),
    "a list against its entries": (
        lambda: {"checkpoints": [{"step": s, "model": state(s)} for s in (0, 5)], "saved_steps": [0, 6]},
        "Its 'saved_steps' says 6 of entry 1, which says step 5 of itself.\nCorrect one of them, or leave it out.",
    ),
    "keys that say nothing": (
        lambda: {"first": state(0), "last": state(1)},
        "It holds states under first, last, which do not say of which steps they are.\n"
        "Give each state the number of its updates as its key: {0: ..., 100: ...}.",
    ),
    "two states": (
        lambda: {"state_dict": state(0), "net": state(1)},
        "It holds a state under 'state_dict' and another under 'net', and nothing says which is meant.\n"
        "Save the weights alone, or each of the two in a file of its own.",
    ),
    "epochs in words": (
        lambda: {"state_dicts": states(2), "epochs": ["one", "two"]},
        "'epochs'[0] is 'one', not a number of updates or epochs.\n"
        "Give the number of updates made so far, a whole number from 0 up.",
    ),
    "several optimizers": (
        lambda: {"model": state(), "optimizer": [{"state": {}, "param_groups": []}]},
        "Its 'optimizer' is a list, not the state dict of one optimizer.\n"
        "Save optimizer.state_dict() under it, or leave it out.",
    ),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_layout_that_cannot_be_read_is_named(place: BoundWorkspace, tmp_path: Path, case: str):
    make, message = UNREADABLE[case]
    assert refusal(place, written(tmp_path / "step_3.pt", make())) == message
