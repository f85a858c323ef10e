"""Of which steps imported weights are: the rule of docs/importing.md, case by case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from miscope.errors import BadFile
from miscope.importing.foreign.numbers import as_written
from miscope.importing.foreign_file import read_foreign

TODO = "Name it step_<N>, N the updates made so far."


def adam(count: float | None) -> dict[str, Any]:
    """An optimizer's state dict that has counted so many updates; None for one that has not begun."""
    state = {} if count is None else {0: {"step": torch.tensor(count)}}
    return {"state": state, "param_groups": [{"lr": 0.01, "params": [0]}]}


def save(folder: Path, name: str, **content: Any) -> Path:
    folder.mkdir(exist_ok=True)
    torch.save({"model": {"W": torch.zeros(2, 2)}, **content}, folder / name)
    return folder / name


def read(path: Path) -> list[tuple[list[int], str]]:
    return [([step for step, _ in file.states], file.steps_from) for file in read_foreign(path)]


ONE: list[tuple[str, dict[str, Any], int, str]] = [
    ("step_300.pt", {}, 300, "its name"),
    ("seed0_step_300.pt", {}, 300, "its name"),
    ("step_10k.pt", {}, 10_000, "its name"),
    ("step-1e4.pt", {}, 10_000, "its name"),
    ("iter1.5k.pt", {}, 1_500, "its name"),
    ("epoch_7.pt", {}, 7, "'epoch' in its name"),
    ("epoch_999.pt", {}, 1_000, "'epoch' in its name, counting from 0: 999 is after 1000 updates"),
    ("run.pt", {"step": 300}, 300, "its key 'step'"),
    ("run.pt", {"global_step": torch.tensor(300)}, 300, "its key 'global_step'"),
    ("run.pt", {"step": 300.0}, 300, "its key 'step'"),
    ("epoch=4-step=500.ckpt", {"epoch": 4, "global_step": 500}, 500, "its key 'global_step'"),
    ("epoch_100_step_5.pt", {"optimizer": adam(5)}, 5, "its name and its optimizer's count"),
    ("step_300.pt", {"optimizer": adam(3)}, 300, "its name; its optimizer counted 3"),
    ("step_300.pt", {"step": 300, "optimizer": adam(3)}, 300, "its key 'step'; its optimizer counted 3"),
    ("run.pt", {"epoch": 300, "optimizer": adam(3)}, 300, "its key 'epoch'; its optimizer counted 3"),
    ("run.pt", {"step": 299, "optimizer": adam(300)}, 300, "its optimizer's count; its key 'step' is 299"),
    ("run.pt", {"epoch": 0, "optimizer": adam(None)}, 0, "its key 'epoch' and an optimizer that has counted nothing"),
    ("run.pt", {"epoch": 100, "optimizer": adam(100)}, 100, "its optimizer's count; its key 'epoch' is 100"),
    ("run.pt", {"epoch": 100, "optimizer": adam(101)}, 101, "its optimizer's count; its key 'epoch' is 100"),
    (
        *("run.pt", {"epoch": 4, "batch_size": 6, "optimizer": adam(20)}),
        *(20, "its optimizer's count; its key 'epoch' is 4"),
    ),
    (
        *("run.pt", {"epoch": 20, "train_losses": [1.0] * 21}),
        *(21, "its key 'epoch', 20, and its 21 training losses"),
    ),
    ("run.pt", {"epoch": 9, "train_losses": [1.0] * 9}, 9, "its key 'epoch'"),
    ("epoch_10.pt", {"epoch": 9, "train_losses": [1.0] * 10}, 10, "its key 'epoch', 9, and its 10 training losses"),
    ("run.pt", {"optimizer": adam(40)}, 40, "its optimizer's count"),
    ("run.pt", {"train_losses": [1.0] * 40}, 40, "its 40 training losses"),
]


@pytest.mark.parametrize(("name", "content", "step", "source"), ONE)
def test_the_step_of_a_file_and_where_it_is_from(tmp_path: Path, name: str, content: Any, step: int, source: str):
    assert read(save(tmp_path, name, **content)) == [([step], source)]


@pytest.mark.parametrize(("epochs", "steps"), [([0, 100, 200], [0, 100, 200]), ([0, 99, 199], [0, 100, 200])])
def test_a_list_and_a_folder_of_the_same_epochs_are_of_the_same_steps(
    tmp_path: Path, epochs: list[int], steps: list[int]
):
    states = [{"W": torch.full((2, 2), float(i))} for i in range(3)]
    torch.save({"state_dicts": states, "epochs": epochs}, tmp_path / "all.pt")
    for epoch, state in zip(epochs, states, strict=True):
        save(tmp_path / "keys", f"{epoch}.pt", model=state, epoch=epoch)
        save(tmp_path / "names", f"epoch_{epoch:03d}.pt", model=state)
    assert read(tmp_path / "all.pt")[0][0] == steps
    assert sorted(step for (step,), _ in read(tmp_path / "keys")) == steps
    assert sorted(step for (step,), _ in read(tmp_path / "names")) == steps


@pytest.mark.parametrize(("made", "steps"), [(4, [2, 4]), (5, [3, 5])])
def test_an_optimizers_count_settles_a_list_of_epochs(tmp_path: Path, made: int, steps: list[int]):
    states = [{"W": torch.full((2, 2), float(i))} for i in range(2)]
    content = {"state_dicts": states, "epochs": [2, 4], "optimizer": adam(made), "batch_size": 6}
    torch.save(content, tmp_path / "all.pt")
    assert read(tmp_path / "all.pt") == [(steps, f"its list 'epochs' and its optimizer's count, {made}")]


def test_a_list_of_epochs_of_mini_batches_is_refused(tmp_path: Path):
    states = [{"W": torch.full((2, 2), float(i))} for i in range(2)]
    torch.save({"state_dicts": states, "epochs": [2, 4], "batch_size": 6}, tmp_path / "all.pt")
    with pytest.raises(BadFile) as raised:
        read_foreign(tmp_path / "all.pt")
    assert str(raised.value) == (
        f"{tmp_path / 'all.pt'} cannot be read.\n"
        "Its list 'epochs' counts epochs, and with batch_size 6 an epoch may be many updates.\n"
        "Say the updates made so far: by a key 'step', a list 'steps', or the name step_<N>."
    )


def test_epochs_saved_one_by_one_are_taken_as_they_are(tmp_path: Path):
    for epoch in range(12):
        save(tmp_path / "run", f"epoch_{epoch:02d}.pt")
    assert [step for (step,), _ in read(tmp_path / "run")] == list(range(12))


def test_a_run_whose_first_file_has_an_empty_optimizer_begins_at_step_0(tmp_path: Path):
    for epoch in (0, 100, 200):
        save(tmp_path / "run", f"{epoch:03d}.pt", epoch=epoch, optimizer=adam(float(epoch) or None))
    assert [step for (step,), _ in read(tmp_path / "run")] == [0, 100, 200]


NUMBER = "Give the number of updates made so far, a whole number from 0 up."
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("weights.pt", {}, f"Neither its content nor its name says how many updates are behind the weights.\n{TODO}"),
    ("epoch_100_step_5.pt", {}, f"Its name gives several numbers: epoch 100, step 5.\n{TODO}"),
    ("step_1_000.pt", {}, f"The number '1_000' in its name can be read in several ways.\n{TODO}"),
    ("step_1.000.pt", {}, f"The number '1.000' in its name can be read in several ways.\n{TODO}"),
    ("step_100-200.pt", {}, f"The number '100-200' in its name can be read in several ways.\n{TODO}"),
    (
        "run.pt",
        {"step": 5, "global_step": 500},
        "Its key 'step' says 5, and its key 'global_step' says 500.\nLeave out the one that does not count updates.",
    ),
    ("step_12.5.pt", {}, f"The number '12.5' in its name can be read in several ways.\n{TODO}"),
    ("step_1e-4.pt", {}, f"The number '1e-4' in its name can be read in several ways.\n{TODO}"),
    ("step_1000000000.pt", {}, f"Its name says step 1000000000, and steps go from 0 to 999999999.\n{TODO}"),
    ("run.pt", {"step": -1}, f"Its key 'step' is -1, and steps go from 0 to 999999999.\n{NUMBER}"),
    ("run.pt", {"step": 10**30}, f"Its key 'step' is {10**30}, and steps go from 0 to 999999999.\n{NUMBER}"),
    ("run.pt", {"epoch": "ten"}, f"Its key 'epoch' is 'ten', not a number of updates or epochs.\n{NUMBER}"),
    ("run.pt", {"epoch": True}, f"Its key 'epoch' is True, not a number of updates or epochs.\n{NUMBER}"),
    ("run.pt", {"step": 2.5}, f"Its key 'step' is 2.5, not a number of updates or epochs.\n{NUMBER}"),
    (
        *("run.pt", {"optimizer": adam(-4.0)}),
        f"Its optimizer's count is -4, and steps go from 0 to 999999999.\n{NUMBER}",
    ),
    (
        *("step_300.pt", {"step": 200}),
        "Its name says step 300, and its key 'step' says 200.\nRename the file, or correct its key.",
    ),
    (
        *("epoch_300.pt", {"epoch": 200}),
        "Its name says epoch 300, and its key 'epoch' says 200.\nRename the file, or correct its key.",
    ),
    (
        *("run.pt", {"step": 3, "optimizer": adam(300)}),
        "Its key 'step' says step 3, and its optimizer has made 300 updates.\n"
        "Name it step_300 and leave such a key out, or save it without its optimizer.",
    ),
    (
        *("run.pt", {"epoch": 4, "batch_size": 6}),
        "Its key 'epoch' counts epochs, and with batch_size 6 an epoch may be many updates.\n"
        "Say the updates made so far: by a key 'step', a list 'steps', or the name step_<N>.",
    ),
    (
        *("run.pt", {"epoch": 0, "config": {"batch_size": 6}}),
        "Its key 'epoch' counts epochs, and with batch_size 6 an epoch may be many updates.\n"
        "Say the updates made so far: by a key 'step', a list 'steps', or the name step_<N>.",
    ),
]


@pytest.mark.parametrize(("name", "content", "message"), REFUSED)
def test_a_step_that_cannot_be_told_is_refused(tmp_path: Path, name: str, content: Any, message: str):
    path = save(tmp_path, name, **content)
    with pytest.raises(BadFile) as raised:
        read_foreign(path)
    assert str(raised.value) == f"{path} cannot be read.\n{message}"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("300", 300), ("000500", 500), ("1e4", 10_000), ("1E+4", 10_000), ("10k", 10_000), ("2M", 2_000_000)),
        *(("1.5k", 1_500), ("1.5e3", 1_500), ("1.50k", 1_500), ("12.5", None), ("1.2345k", None), ("1e", None)),
        *(("1,000", None), ("10b", None), ("", None), ("k", None)),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, number: int | None):
    assert as_written(text) == number
