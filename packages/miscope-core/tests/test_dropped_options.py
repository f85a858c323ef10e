"""An option that has no effect beside the others is refused by its name, with what it goes with."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miscope import Grain, View, ViewData, hookimpl
from miscope.errors import CannotWrite
from miscope.store.atomic import check_place

Run = Callable[..., tuple[int, str, str]]

FILM = "A film is a file whose name ends in .gif, .webp or .mp4"
NAME_ONE = "Name one with --out, or leave it out."
A, B = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"


def never(shown: ViewData) -> Any:
    """Called only where a refusal came too late."""
    raise AssertionError(f"{shown} is drawn")


@hookimpl
def miscope_views():
    yield View(name="here.moves", title="Moves", grain=Grain.CHECKPOINT, draw=never)
    yield View(name="here.spans", title="Spans", grain=Grain.TRAJECTORY, draw=never)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two variants."""
    from miscope.bound import open_bound
    from miscope.testing import tables

    place = open_bound(tmp_path_factory.mktemp("dropped") / "ws", tables())
    for seed in (0, 1):
        list(place.variant("toy.sum", seed=seed).train(steps=0, threads=1))
    return place.root


@pytest.fixture(autouse=True)
def in_force(offer: Callable[[str, str], None], trained: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "views_of_here", sys.modules[__name__])
    offer("toy", "miscope.testing.toy")
    offer("here", "views_of_here")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(trained))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (
            ("show", "here.moves", A, "--out", "x.html", "--fps", 5),
            ("--fps means nothing without a film.", f"{FILM}.", NAME_ONE),
        ),
        (
            ("show", "here.moves", A, "--out", "x.png", "--frames", 5),
            (
                "--frames means nothing without a film or a page with a slider.",
                f"{FILM}; a page ends in .html.",
                NAME_ONE,
            ),
        ),
        (
            ("show", "here.moves", A, "--out", "x.mp4", "--step", 0),
            (
                "--step means nothing in a film or a page with a slider.",
                "Those show one checkpoint after the other.",
                "Leave it out, or write a .png.",
            ),
        ),
        (
            ("show", "here.moves", A, "--out", "x.html", "--step", 0, "--frames", 5),
            (
                "--step means nothing in a film or a page with a slider.",
                "Those show one checkpoint after the other.",
                "Leave it out, or write a .png.",
            ),
        ),
        (
            ("show", "here.spans", A, "--out", "x.html", "--step", 0),
            (
                "--step means nothing for this view.",
                "'here.spans' is of trajectory grain: one figure shows the whole of training.",
                "Leave it out.",
            ),
        ),
        (
            ("show", "here.spans", A, "--out", "x.html", "--frames", 5),
            (
                "--frames means nothing for this view.",
                "'here.spans' is of trajectory grain: one figure shows the whole of training.",
                "Leave it out.",
            ),
        ),
        (
            ("show", "here.moves", A, B, "--out", "x.mp4"),
            (
                "A film is of one variant, and 2 are meant.",
                f"They are: {A}, {B}.",
                "Name one; or write a .png or .html, without --frames, of a view that compares.",
            ),
        ),
        (
            ("runs", "watch", 3, "--group", "sweep"),
            (
                "--group means nothing beside numbers.",
                "Runs are followed by their numbers, or all of a study.",
                "Leave it out, or the numbers.",
            ),
        ),
        (
            ("runs", "logs", 3, "--json", "--follow"),
            (
                "--follow means nothing with --json.",
                "One answer in JSON is given once, and ends.",
                "Leave one of them out.",
            ),
        ),
        (
            ("import", "x.pt", "--build", "here:make", "--family", "toy.sum", "--param", "seed=1"),
            (
                "--family, --param means nothing for a module of your own.",
                "The function that makes it says what it is; --option gives it its values.",
                "Leave it out, or --build and what goes with it.",
            ),
        ),
        (
            ("templates", "--json", "show", "Sums"),
            (
                "--json means nothing before a command.",
                "It is of the command that follows.",
                "Write:  miscope templates show --json",
            ),
        ),
    ],
    ids=lambda each: " ".join(map(str, each)) if isinstance(each[0], str) and each[0].islower() else "",
)
def test_an_option_without_effect_is_refused_by_name(
    command: Run, tmp_path: Path, words: tuple[object, ...], refusal: tuple[str, ...]
) -> None:
    assert command(*words) == (1, "", "".join(f"{line}\n" for line in refusal))
    assert not list(tmp_path.glob("x.*"))


def test_a_workspace_that_is_named_before_a_command_of_a_group_is_the_one_it_reads(
    command: Run, tmp_path: Path
) -> None:
    code, out, _ = command("templates", "-w", tmp_path / "other", "list")
    assert code == 0
    assert out.startswith(f"There is no such template in {tmp_path / 'other'}.")
    assert "[default: " not in command("-w", tmp_path / "other", "variants", "--help")[1]


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("variants", "-w", ""), "'--workspace' / '-w'"),
        (("-w", "", "variants"), "'--workspace' / '-w'"),
        (("sweep", "x.yaml", "--scheduler", ""), "'--scheduler'"),
        (("sweep", "x.yaml", "--name", ""), "'--name'"),
        (("runs", "watch", "--group", ""), "'--group'"),
    ],
)
def test_an_empty_name_is_wrong_usage(command: Run, words: tuple[str, ...], option: str) -> None:
    code, out, err = command(*words)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == (
        f"Error: Invalid value for {option}: it is empty; a variable of the shell that is not set reads so."
    )


def test_pictures_for_the_catalogue_come_from_a_folder_that_is_there(command: Run, tmp_path: Path) -> None:
    code, out, err = command("catalogue", "--examples", tmp_path / "nowhere")
    assert (code, out) == (2, "")
    assert "nowhere' does not exist" in err


PLACES = [
    ("folder", "There is a folder of that name."),
    ("file/x", "Something on the way to it is no folder."),
    ("broken/x", "A folder on the way to it does not exist and cannot be made."),
    ("circle/x", "The links on the way to it lead round in a circle."),
    pytest.param(
        "/proc/x",
        "A folder on the way to it does not exist and cannot be made.",
        marks=pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder in which nobody can make a file"),
    ),
]


@pytest.mark.parametrize(
    ("words", "suffix"),
    [
        (("show", "here.spans", A), ".html"),
        (("show", "here.moves", A), ".gif"),
        (("report", A, "--views", "here.spans"), ".md"),
        (("bundle", A), ".zip"),
        (("export", "history", A), ".csv"),
        (("ask", "SELECT broken"), ".csv"),
        (("templates", "export", "none"), ".json"),
        (("catalogue",), ".md"),
    ],
    ids=lambda each: "" if isinstance(each, str) else " ".join(each),
)
@pytest.mark.parametrize(("place", "known"), PLACES)
def test_a_place_that_cannot_be_written_is_told_before_the_work(  # noqa: PLR0913 - fixtures
    command: Run, tmp_path: Path, *, words: tuple[str, ...], suffix: str, place: str, known: str
) -> None:
    (tmp_path / f"folder{suffix}").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "circle").symlink_to("circle")
    out = tmp_path / f"{place}{suffix}"
    before = sorted(tmp_path.rglob("*"))
    assert command(*words, "--out", out) == (
        1,
        "",
        f"{out} cannot be written.\n{known}\nChoose a place that you may write to.\n",
    )
    assert sorted(tmp_path.rglob("*")) == before


def test_rows_are_written_in_a_folder_that_is_made_and_into_a_pipe(command: Run, tmp_path: Path) -> None:
    out, pipe = tmp_path / "new" / "rows.csv", tmp_path / "pipe"
    assert command("ask", "SELECT 1 AS one", "--out", out) == (0, f"{out}: 1 rows\n", "")
    assert out.read_text() == '"one"\n1\n'
    os.mkfifo(pipe)
    # Opened to write, too, so that neither waits for the other.
    with os.fdopen(os.open(pipe, os.O_RDWR), "rb") as read:
        assert command("ask", "SELECT 1 AS one", "--format", "csv", "--out", pipe)[0] == 0
        assert os.read(read.fileno(), 100) == b'"one"\n1\n'


@pytest.mark.parametrize("place", ["pipe", "/dev/stdout"])
def test_a_document_is_not_put_in_the_place_of_a_pipe_or_a_device(tmp_path: Path, place: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CannotWrite) as refusal:
        check_place(tmp_path / place)
    assert str(refusal.value).splitlines()[1] == "It is a device or a pipe, and no file."
