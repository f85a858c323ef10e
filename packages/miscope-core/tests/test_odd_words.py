"""What people type that is nearly right: the three parts of each refusal, and what is taken after all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miscope.cli.options import assignments
from miscope.errors import BadValue, UnknownName
from miscope.schedule import Explicit

Make = Callable[..., Any]

FORMS = "every:100, log:60, 0,100,500, 0-1500:100 or adaptive"
CHANGE = "Change it and try again; nothing was written."


@pytest.mark.parametrize(
    ("fields", "what", "known"),
    [
        (
            {"checkpoints": 50},
            "toy.sum refuses checkpoints=50: a number alone says neither which step nor how often.",
            f"'checkpoints' is one of the forms {FORMS}.",
        ),
        (
            {"checkpoints": "100-0:10"},
            "toy.sum refuses checkpoints='100-0:10': the range 100-0 holds no step, since it ends where it begins or "
            "before.",
            f"'checkpoints' is one of the forms {FORMS}.",
        ),
        (
            {"learning_rate": -1},
            "toy.sum refuses learning_rate=-1: it must be more than 0.",
            "'learning_rate' is a number above 0, by default 0.01.",
        ),
        (
            {"betas": [1.0, 2.0]},
            "toy.sum refuses betas=1.0: it must be less than 1.",
            "'betas' is 2 numbers with commas between them, by default 0.9,0.98.",
        ),
    ],
)
def test_a_field_written_otherwise_is_refused_with_the_forms_it_takes(
    workspace: Make, fields: dict[str, Any], what: str, known: str
):
    with pytest.raises(BadValue) as raised:
        workspace().variant("toy.sum", **fields)
    assert str(raised.value).splitlines() == [what, known, CHANGE]


@pytest.mark.parametrize("word", ["inf", "-inf", "nan", "Infinity", "NaN", "1e999"])
@pytest.mark.parametrize("field", ["learning_rate", "weight_decay", "clip_norm", "lr_min_ratio", "eps"])
def test_a_number_that_is_not_finite_is_refused(workspace: Make, field: str, word: str):
    with pytest.raises(BadValue) as refused:
        workspace().variant("toy.sum", **assignments([f"{field}={word}"]))
    assert refused.value.field == field


@pytest.mark.parametrize("word", ["inf", "nan"])
@pytest.mark.parametrize(
    "field", ["role_groups=W_E:lr_factor={}", "role_groups=W_E:weight_decay={}", "betas={},0.9", "betas=0.9,{}"]
)
def test_a_number_among_others_that_is_not_finite_is_refused(workspace: Make, field: str, word: str):
    with pytest.raises(BadValue):
        workspace().variant("toy.sum", **assignments([field.format(word)]))


@pytest.mark.parametrize("word", ["9" * 5000, "[" * 100_000], ids=["digits", "brackets"])
def test_what_is_too_long_for_a_number_is_refused_and_not_repeated(workspace: Make, word: str):
    with pytest.raises(BadValue) as refused:
        workspace().variant("toy.sum", **assignments([f"width={word}"]))
    assert refused.value.field == "width"
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(("short", "field"), [("lr", "learning_rate"), ("wd", "weight_decay")])
def test_a_field_is_known_by_what_it_is_called_in_a_variants_name(workspace: Make, short: str, field: str):
    with pytest.raises(UnknownName) as raised:
        workspace().variant("toy.sum", **{short: 0.1})
    assert str(raised.value).splitlines()[:2] == [f"There is no field named {short!r}.", f"Did you mean {field!r}?"]


def test_several_values_are_taken_with_commas_and_as_lists(workspace: Make):
    place = workspace()
    by_list = place.variant("toy.sum", checkpoints=[0, 5, 10], betas=[0.9, 0.95], no_decay=["W_E", "b_*"]).value
    by_text = place.variant("toy.sum", checkpoints="0,5,10", betas="0.9,0.95", no_decay="W_E,b_*").value
    assert by_list == by_text
    assert by_list.training.checkpoints == Explicit(steps=(0, 5, 10))


def test_weights_without_decay_that_there_are_not_are_refused_before_anything_is_written(workspace: Make):
    place = workspace()
    variant = place.variant("toy.sum", no_decay=["nosuch"])
    with pytest.raises(BadValue) as raised:
        next(variant.train(steps=1))
    what, known, todo = str(raised.value).splitlines()
    assert what == f"No weights of {variant.name} match 'nosuch', so none would be left without decay."
    assert known.startswith("Its weights are: W_E, ")
    assert todo == "Correct no_decay; a pattern such as *.b_* stands for several."
    assert place.names() == []


def test_python_takes_the_words_of_the_command_line_for_steps(workspace: Make):
    variant = workspace().variant("toy.sum", checkpoints="every:5")
    list(variant.train(steps=10, threads=1))
    assert [variant.at(word).step for word in ("first", "last")] == [0, 10]
    variant.analyze("parameters.norms", steps="every:10")
    assert list(variant.arrays("parameters.norms")["step"]) == [0, 10]
    with pytest.raises(BadValue) as raised:
        variant.at("middle")
    assert str(raised.value) == (
        f"'middle' is not a step.\n{variant.name} has 3 checkpoints.\n"
        "Give a step as a number, or 'first', 'last' or 'best'."
    )
    assert list(variant.arrays("parameters.norms", "last", names="W_E/l1")) == ["W_E/l1"]
    with pytest.raises(BadValue, match="'x' is not a step"):
        variant.arrays("parameters.norms", step="x")  # pyright: ignore[reportArgumentType]
    with pytest.raises(UnknownName) as unknown:
        variant.arrays("parameters.norms", names=["W_X"])
    assert str(unknown.value).splitlines()[0] == "There is no array named 'W_X'."
    with pytest.raises(BadValue, match="'now and then' does not say which checkpoints"):
        variant.analyze(steps="now and then")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"steps": 1.5}, "A training does not take steps=1.5.\nIt is a whole number.\nGive one, or leave `steps` out."),
        (
            {"threads": 0},
            "A training does not take threads=0.\nIt is a whole number, 1 to 1024.\nGive one, or leave `threads` out.",
        ),
    ],
)
def test_a_number_that_is_none_of_steps_or_threads_is_refused(workspace: Make, option: Any, message: str):
    with pytest.raises(BadValue) as raised:
        workspace().variant("toy.sum").train(**option)
    assert str(raised.value) == message


def test_a_misspelt_word_of_train_is_told_with_the_one_meant(workspace: Make):
    with pytest.raises(UnknownName) as raised:
        workspace().variant("toy.sum").train(stepz=1)
    what, close, known = str(raised.value).splitlines()
    assert (what, close) == ("There is no training option named 'stepz'.", "Did you mean 'steps'?")
    assert known.startswith("`train` takes: steps, resume, ")


def test_rows_are_not_written_under_a_suffix_they_do_not_have(
    command: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "miscope-workspace").mkdir()
    code, _, err = command("ask", "select 1", "--out", tmp_path / "rows.xlsx")
    assert (code, err) == (
        1,
        "Rows cannot be written as .xlsx.\n"
        "The suffix says how: .csv, .json, .parquet, or .txt for a table.\n"
        "Give another suffix, or say it with --format.\n",
    )
    assert not (tmp_path / "rows.xlsx").exists()


def test_a_question_to_a_folder_that_is_not_there_makes_none_and_says_so(command: Make, tmp_path: Path):
    place = tmp_path / "mistyped"
    code, out, err = command("ask", "select count(*) as n from variants", "--format", "json", "-w", place)
    assert (code, out.split()) == (0, ["[", "{", '"n":', "0", "}", "]"])
    assert err == f"There is no folder {place}, so every table is empty; --workspace names another.\n"
    assert not place.exists()
