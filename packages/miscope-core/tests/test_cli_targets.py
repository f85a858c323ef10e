"""Which variants are meant: by their names, the parts a name begins with, or a family with some of its fields."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, field_validator, model_validator

from miscope import Grain, Params, TrainingConfig, View, ViewData, hookimpl
from miscope.cli.short_names import begins, short_names
from miscope.errors import BadValue
from miscope.schedule import Every
from miscope.validation import read_field

Run = Callable[..., tuple[int, str, str]]


def blank(shown: ViewData) -> Any:
    """Nothing but axes."""
    from plotly.graph_objects import Figure, Scatter

    return Figure(Scatter(x=[0], y=[1]))


@hookimpl
def miscope_views():
    yield View(name="here.blank", title="Blank", grain=Grain.TRAJECTORY, draw=blank)


@pytest.fixture
def place(command: Run, offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace in force with variants of 5, 7 and 7 values."""
    monkeypatch.setitem(sys.modules, "views_of_here", sys.modules[__name__])
    offer("toy", "miscope.testing.toy")
    offer("here", "views_of_here")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    for words in (["values=5"], ["values=7"], ["values=7", "seed=1"]):
        assert command("train", "toy.sum", *words, "--steps", 0)[0] == 0
    return tmp_path


@pytest.mark.parametrize("words", [["v5"], ["toy.sum/v5-seed0"], ["v5-seed0-width16"], ["toy.sum", "values=5"]])
def test_a_figure_is_drawn_of_the_one_variant_that_is_meant(command: Run, place: Path, words: list[str]) -> None:
    out = place / "figure.html"
    assert command("show", "here.blank", *words, "--out", out) == (0, f"{out}\n", "")
    assert "v5-seed0-width16" in out.read_text(encoding="utf-8")


def test_parts_that_several_names_begin_with_are_refused(command: Run, place: Path) -> None:
    assert command("show", "here.blank", "v7", "--out", place / "x.html") == (
        1,
        "",
        "'v7' begins the names of 2 variants.\n"
        "They are: toy.sum/v7-seed0-width16, toy.sum/v7-seed1-width16.\n"
        "Give more of it.\n",
    )


def test_a_name_begins_with_whole_parts_only(command: Run, place: Path) -> None:
    code, _, err = command("analyze", "v")
    assert (code, err.splitlines()[0]) == (1, "There is no variant named 'v'.")


def test_a_restriction_is_read_by_its_own_field_whatever_others_it_goes_with():
    class Pair(Params):
        first: Annotated[int, Field(ge=0)] = 0
        few: tuple[int, ...] = (1,)
        second: int | None = None

        @field_validator("few", mode="before")
        @classmethod
        def _from_first(cls, value: object) -> object:
            return tuple(range(value)) if isinstance(value, int) else value

        @model_validator(mode="after")
        def _both(self) -> Pair:
            if self.first and self.second is None:
                raise ValueError("the first is given with the second")
            return self

    with pytest.raises(ValidationError, match="the first is given with the second"):
        Pair(first=3)
    assert read_field(Pair, "first", "3") == 3
    assert read_field(Pair, "second", None) is None
    assert (read_field(Pair, "few", "1,2"), read_field(Pair, "few", [3])) == ((1, 2), (3,))
    with pytest.raises(BadValue) as refused:
        read_field(Pair, "first", -1)
    assert str(refused.value) == (
        "first=-1 is refused: it must be 0 or more.\n"
        "'first' is a whole number from 0 on, by default 0.\n"
        "Change it and try again; nothing was written."
    )
    assert read_field(TrainingConfig, "checkpoints", "every:20") == Every(n=20)
    assert read_field(TrainingConfig, "interventions", "gain") == ("gain",)


def test_long_names_are_shortened_to_first_parts_that_no_other_begins_with() -> None:
    names = [
        "toy.sum/v5-seed0-width16",
        "toy.sum/v5-seed1-width16-lr0.001-wd2",
        "toy.sum/v5-seed1-width16-lr0.001-wd3",
        "toy.sum/v5-seed2",
        "toy.sum/v5-seed2-width16-lr0.001",
        "toy.sum/v7-seed0-width16@mine",
    ]
    assert short_names(names, 20) == {
        names[0]: "toy.sum/v5-seed0",
        names[1]: names[1],
        names[2]: names[2],
        names[3]: names[3],
        names[4]: "toy.sum/v5-seed2-width16",
        names[5]: "toy.sum/v7-seed0",
    }
    assert short_names(names, 40) == {name: name for name in names}
    assert short_names(names[5:], 10) == {names[5]: "toy.sum/v7"}


PARTS = st.lists(st.sampled_from(["a", "ab", "b", "b@x", "1e", "05"]), min_size=1, max_size=5).map("-".join)


@given(slugs=st.sets(PARTS, min_size=1, max_size=8), most=st.integers(1, 20))
def test_by_what_it_is_shortened_to_a_variant_is_found(slugs: set[str], most: int) -> None:
    names = [f"toy/{slug}" for slug in slugs]
    for name, short in short_names(names, most).items():
        assert [other for other in names if other == short or begins(short, other)] == [name] or short == name
        assert len(short) <= max(most, len(name))


def test_a_terminal_has_names_that_commands_take_and_a_pipe_has_whole_ones(
    command: Run, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = ("toy.sum", "values=7", "seed=2", "learning_rate=0.0123", "weight_decay=0.7")
    assert command("train", *long, "--steps", 0)[0] == 0
    whole = "toy.sum/v7-seed2-width16-lr0.0123-wd0.7"
    assert whole in command("variants")[1].split()
    with monkeypatch.context() as at_a_terminal:
        at_a_terminal.setenv("COLUMNS", "70")
        at_a_terminal.setattr(sys.stdout, "isatty", lambda: True)
        code, out, err = command("variants")
    assert code == 0
    shown = [line.split()[0] for line in out.splitlines()[1:]]
    assert shown == [*(f"toy.sum/v{which}-width16" for which in ("5-seed0", "7-seed0", "7-seed1", "7-seed2"))]
    assert err == (
        "Names are shortened to first parts that tell them apart, as commands take them; `| cat` has them whole.\n"
    )
    for words in (
        ("train", shown[-1], "--steps", 1),
        ("views", "here.blank", "--for", shown[-1]),
        ("templates", "save", "kept", shown[-1]),
    ):
        code, _, err = command(*words)
        assert code == 0, err
