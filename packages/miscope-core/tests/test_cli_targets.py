"""Which variants are meant: by their names, the parts a name begins with, or a family with some of its fields."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miscope import Grain, View, ViewData, hookimpl

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
