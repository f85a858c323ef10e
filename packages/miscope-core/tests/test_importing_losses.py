"""Where the losses of imported files lie: the rule of docs/importing.md, case by case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from miscope.errors import BadFile
from miscope.importing.foreign_file import ForeignFile, read_foreign


def read(path: Path, **content: Any) -> ForeignFile:
    torch.save({"model": {"W": torch.zeros(2, 2)}, **content}, path)
    (file,) = read_foreign(path)
    return file


def states(count: int) -> list[dict[str, torch.Tensor]]:
    return [{"W": torch.full((2, 2), float(i))} for i in range(count)]


PLACED: dict[str, tuple[dict[str, Any], dict[str, list[int]]]] = {
    "one value": ({"train_loss": 0.5, "val_loss": torch.tensor(0.7)}, {"train_loss": [300], "test_loss": [300]}),
    "one value called loss": ({"loss": 0.5}, {"train_loss": [300]}),
    "a list of one value": ({"train_losses": [0.5]}, {"train_loss": [300]}),
    "accuracies": ({"train_acc": 1.0, "test_accuracy": 0.5}, {"train_accuracy": [300], "test_accuracy": [300]}),
    "one for each update": ({"train_losses": [0.5] * 300}, {"train_loss": list(range(300))}),
    "the last included": ({"train_losses": [0.5] * 301}, {"train_loss": list(range(301))}),
    "going on after the weights": ({"train_losses": [0.5] * 900}, {"train_loss": list(range(900))}),
    "a tensor": ({"train_losses": torch.full((300,), 0.5)}, {"train_loss": list(range(300))}),
    "with epochs": ({"train_losses": [3.0, 2.0, 1.0], "loss_epochs": [0, 100, 200]}, {"train_loss": [0, 100, 200]}),
    "with steps of each": (
        {"train_losses": [3.0, 2.0], "train_steps": [0, 100], "test_losses": [1.0, 2.0], "test_losses_steps": [5, 7]},
        {"train_loss": [0, 100], "test_loss": [5, 7]},
    ),
    "with the file's epochs": ({"train_losses": [3.0, 2.0], "epochs": [0, 150]}, {"train_loss": [0, 150]}),
    "pairs": ({"train_losses": [(0, 3.0), (100, 2.0)]}, {"train_loss": [0, 100]}),
    "by step": ({"train_losses": {0: 3.0, 100: 2.0}}, {"train_loss": [0, 100]}),
    "a dict of losses": (
        {"losses": {"train": [0.5] * 300, "val": 0.7}},
        {"train_loss": list(range(300)), "test_loss": [300]},
    ),
    "a history": ({"history": {"train_loss": [0.5] * 300, "lr": [0.1]}}, {"train_loss": list(range(300))}),
    "a word": ({"loss": "cross_entropy", "test_loss": 0.7}, {"test_loss": [300]}),
    "a test list every hundredth": (
        {"train_losses": [0.5] * 300, "test_losses": [0.5] * 3},
        {"train_loss": list(range(300)), "test_loss": [0, 100, 200]},
    ),
    "a test list one shorter": (
        {"train_losses": [0.5] * 301, "test_losses": [0.5] * 300},
        {"train_loss": list(range(301)), "test_loss": list(range(300))},
    ),
    "a list beside its last value": (
        {"train_losses": [0.5] * 300, "train_loss": 0.5},
        {"train_loss": list(range(300))},
    ),
}


@pytest.mark.parametrize("case", PLACED)
def test_the_losses_of_a_file_lie_where_its_text_says(tmp_path: Path, case: str):
    content, steps = PLACED[case]
    file = read(tmp_path / "step_300.pt", **content)
    assert {name: [step for step, _ in series] for name, series in file.metrics.items()} == steps
    assert file.notes == ()


def test_as_many_losses_as_states_lie_on_their_steps(tmp_path: Path):
    content = {"state_dicts": states(16), "epochs": [100 * i for i in range(16)]}
    losses = [1.0 / (i + 1) for i in range(16)]
    torch.save({**content, "train_losses": losses}, tmp_path / "all.pt")
    (file,) = read_foreign(tmp_path / "all.pt")
    assert file.metrics == {"train_loss": [(100 * i, loss) for i, loss in enumerate(losses)]}


def test_a_sparse_list_without_steps_is_left_out_and_named(tmp_path: Path):
    file = read(tmp_path / "step_300.pt", train_losses=[3.0, 2.0, 1.0])
    assert file.metrics == {}
    assert file.notes == (
        "'train_losses' is left out: 3 values for 300 updates and 1 state, "
        "and no list 'train_losses_steps' says where they belong.",
    )


@pytest.mark.parametrize("losses", [[1.0, None], [[1.0, 2.0, 3.0]], torch.zeros(2, 2), {"first": 1.0}, ["a"]])
def test_losses_that_are_no_numbers_are_left_out_and_named(tmp_path: Path, losses: Any):
    file = read(tmp_path / "step_300.pt", train_losses=losses)
    assert (file.metrics, file.notes) == ({}, ("'train_losses' is left out: it is no list of numbers.",))


def test_a_single_value_stands_in_for_a_list_that_nothing_places(tmp_path: Path):
    file = read(tmp_path / "step_300.pt", train_losses=[3.0, 2.0, 1.0], train_loss=0.9)
    assert file.metrics == {"train_loss": [(300, 0.9)]}


def test_broken_steps_of_a_list_are_refused(tmp_path: Path):
    path = tmp_path / "step_300.pt"
    with pytest.raises(BadFile) as raised:
        read(path, train_losses=[3.0, 2.0], loss_steps=[0, -100])
    assert str(raised.value) == (
        f"{path} cannot be read.\n'loss_steps'[1] is -100, and steps go from 0 to 999999999.\n"
        "Give the number of updates made so far, a whole number from 0 up."
    )


@pytest.mark.parametrize(
    ("group", "content", "rate", "note"),
    [
        ({"lr": 0.01}, {}, 0.01, None),
        ({"lr": torch.tensor(0.25)}, {}, 0.25, None),
        (
            *({"lr": 0.00025, "initial_lr": 0.001}, {}, 0.001),
            "Its learning rate was scheduled from 0.001, which the record holds; at the end it was 0.00025.",
        ),
        (
            *({"lr": 0.0, "initial_lr": 0.001}, {}, 0.001),
            "Its learning rate was scheduled from 0.001, which the record holds; at the end it was 0.",
        ),
        (
            *({"lr": 0.0005}, {"scheduler": {"base_lrs": [0.001]}}, 0.001),
            "Its learning rate was scheduled from 0.001, which the record holds; at the end it was 0.0005.",
        ),
        ({"lr": 0.0}, {}, None, "Its optimizer's learning rate is 0 by now, and nothing says what it was at first."),
    ],
)
def test_the_learning_rate_is_the_one_a_schedule_started_from(
    tmp_path: Path, group: Any, content: Any, rate: float | None, note: str | None
):
    file = read(tmp_path / "step_300.pt", optimizer={"state": {}, "param_groups": [group]}, **content)
    assert (file.learning_rate, file.notes) == (rate, () if note is None else (note,))


def single(folder: Path, losses: dict[str, list[float]]) -> dict[str, bool]:
    folder.mkdir()
    for step, values in enumerate(losses.values()):
        content = {"model": {"W": torch.zeros(2, 2)}, "step": step, **({"train_losses": values} if values else {})}
        torch.save(content, folder / f"{list(losses)[step]}.pt")
    return {file.path.stem: file.float32_losses for file in read_foreign(folder)}


def test_a_runs_losses_are_single_or_double_for_all_its_files(tmp_path: Path):
    """A file without a loss, or with one that is round or zero, is no reason to think of another run."""
    double = {"init": [], "early": [0.1], "round": [0.5], "late": [0.0]}
    assert single(tmp_path / "double", double) == dict.fromkeys(double, False)
    rounded = {name: torch.tensor(values).tolist() for name, values in double.items()}
    assert single(tmp_path / "single", rounded) == dict.fromkeys(double, True)


def test_many_losses_speak_for_themselves(tmp_path: Path):
    long = [1.1 / (i + 1) for i in range(12)]
    mixed = {"double": long, "single": torch.tensor(long).tolist(), "huge": [1e300, float("inf"), float("nan"), *long]}
    assert single(tmp_path / "mixed", mixed) == {"double": False, "single": True, "huge": False}
