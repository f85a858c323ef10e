"""Tags and notes of a variant: written, kept whoever else writes, found in the table, taken along in a bundle."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from miscope.bound import BoundWorkspace, open_bound
from miscope.errors import BadFile, BadValue, UnknownName
from miscope.store.annotation import Annotation, AnnotationChange, ChangedMeanwhile, PinnedStep
from miscope.store.annotation_files import annotate, annotation_of, change_annotation, earlier
from miscope.store.trash import delete, restore
from miscope.tabulating.asked import TableAsked
from miscope.tabulating.noted import noted
from miscope.tabulating.reading import read_table
from miscope.tabulating.run_words import RunWords
from miscope.tabulating.showing import show
from miscope.testing import tables

Run = Callable[..., tuple[int, str, str]]
NAME = "toy.sum/v5-seed0-width16"
UNPINNED = b'{"tags": [], "notes": "", "written": "", "pins": [{"step": "5", "note": ""}]}'


@pytest.fixture
def ws(offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BoundWorkspace:
    """A workspace in force for the commands, with a variant that was trained for no step."""
    offer("toy", "miscope.testing.toy")
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    workspace = open_bound(tmp_path / "ws", tables())
    workspace.store.save_variant(workspace.variant("toy.sum").value)
    return workspace


def test_what_is_given_changes_the_rest_stays_and_what_was_there_before_is_kept(ws: BoundWorkspace) -> None:
    variant = ws.find(NAME)
    assert variant.annotation == Annotation()
    first = variant.annotate(tags=("paper", "odd one"), notes="*diverged*\nonce")
    second = variant.annotate(notes="")
    assert (first.tags, first.notes, first.revision) == (("paper", "odd one"), "*diverged*\nonce", 1)
    assert (second.tags, second.notes, second.revision) == (("paper", "odd one"), "", 2)
    assert variant.annotation == second
    assert earlier(ws.store, NAME) == [second, first]
    assert variant.annotate(notes="", tags=("paper", "odd one")) == second


def test_of_two_who_change_what_both_read_the_later_is_refused_and_neither_text_is_lost(ws: BoundWorkspace) -> None:
    read = annotation_of(ws.store, NAME).revision
    annotate(ws.store, NAME, notes="mine", seen=read)
    with pytest.raises(ChangedMeanwhile) as refused:
        annotate(ws.store, NAME, notes="yours", seen=read)
    assert str(refused.value) == (
        f"The tags and notes of {NAME} are others by now.\n"
        "Somebody changed them after they were read, and nothing was written over that.\n"
        "Read them again, and change what they are then."
    )
    annotate(ws.store, NAME, notes="mine\nyours", seen=1)
    assert [each.notes for each in earlier(ws.store, NAME)] == ["mine\nyours", "mine"]


def test_of_many_who_write_at_once_every_text_is_kept(ws: BoundWorkspace) -> None:
    each = [{"notes": f"note {number}"} for number in range(6)]
    writers = [threading.Thread(target=annotate, args=(ws.store, NAME), kwargs=notes) for notes in each]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    kept = earlier(ws.store, NAME)
    assert sorted(one.notes for one in kept) == [notes["notes"] for notes in each]
    assert [one.revision for one in kept] == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tags": ("a", "a")}, "These are no tags of a variant."),
        ({"tags": ("a\nb",)}, "That cannot be the tags of a variant."),
        ({"pins": {5: "a\nb"}}, "That cannot be the pins of a variant."),
        ({"pins": {-1: ""}}, "-1 cannot be pinned."),
        ({"pins": {5.5: ""}}, "5.5 cannot be pinned."),
        ({"pins": {float("inf"): ""}}, "inf cannot be pinned."),
        ({"pins": {True: ""}}, "True cannot be pinned."),
        ({"pins": {5: "", "500": ""}}, "'500' cannot be pinned."),
        ({"pins": {10**15 + 1: ""}}, "1000000000000001 cannot be pinned."),
        ({"pins": {5: None}}, "That cannot be the pins of a variant."),
        ({"pins": {5: 5}}, "That cannot be the pins of a variant."),
        ({"unpin": ["20"]}, "'20' cannot be unpinned."),
        ({"unpin": [False]}, "False cannot be unpinned."),
        ({"tags": (5,)}, "That cannot be the tags of a variant."),
        ({"notes": 5}, "That cannot be the notes of a variant."),
        ({"pins": dict.fromkeys(range(101), "")}, "These are no pins of a variant."),
        ({"notes": "x" * 10_001}, "That cannot be the notes of a variant."),
        ({"notes": "\ud800"}, "That cannot be the notes of a variant."),
    ],
)
def test_what_cannot_be_written_is_refused_and_leaves_what_is_there(
    changes: dict[str, object], words: str, ws: BoundWorkspace
) -> None:
    with pytest.raises(BadValue) as refused:
        ws.find(NAME).annotate(**changes)  # type: ignore[arg-type]
    assert str(refused.value).splitlines()[0] == words
    assert earlier(ws.store, NAME) == []


@pytest.mark.parametrize("step", [500, 500.0, np.int64(500), np.float64(500), np.float32(500)], ids=repr)
def test_a_step_is_pinned_and_unpinned_by_whatever_whole_number_it_is(step: int, ws: BoundWorkspace) -> None:
    variant = ws.find(NAME)
    variant.annotate(pins={step: "x", 20: ""})
    kept = variant.annotation.pins
    assert kept == (PinnedStep(step=20), PinnedStep(step=500, note="x"))
    assert [type(pin.step) for pin in kept] == [int, int]
    assert variant.annotate(unpin=[step]).pins == (PinnedStep(step=20),)


def test_nothing_is_noted_of_a_variant_that_is_not_there(ws: BoundWorkspace) -> None:
    with pytest.raises(UnknownName):
        annotate(ws.store, "toy.sum/none", notes="a")
    assert not ws.store.layout.variant("toy.sum/none").exists()


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"tags": "ab", "notes": "", "written": ""}', b'{"tags": []}', UNPINNED]
)
def test_what_nobody_here_wrote_is_refused_by_name_and_left_out_of_the_table(
    content: bytes, ws: BoundWorkspace
) -> None:
    annotate(ws.store, NAME, tags=("paper",))
    path = ws.store.layout.annotations(NAME) / "000002.json"
    path.write_bytes(content)
    with pytest.raises(BadFile) as refused:
        annotation_of(ws.store, NAME)
    assert str(refused.value).startswith(f"{path} cannot be read.\nIt holds no tags and notes: ")
    (row,) = read_table(ws.value).rows
    assert "tags" not in row.cells
    path.unlink()
    assert annotation_of(ws.store, NAME).tags == ("paper",)


def test_the_table_finds_a_variant_by_what_is_noted_of_it(ws: BoundWorkspace) -> None:
    ws.store.save_variant(ws.variant("toy.sum", seed=1).value)
    ws.find(NAME).annotate(tags=("paper", "odd one"), notes="diverged once")
    table = read_table(ws.value)
    cells = {row.variants[0]: row.cells for row in table.rows}
    assert (cells[NAME]["tags"], cells[NAME]["notes"]) == ("paper, odd one", "diverged once")
    for text in ("paper", "odd one", "diverged"):
        assert [row.variants for row in show(table, TableAsked(text=text)).rows] == [(NAME,)]


def test_a_variants_own_tags_and_notes_stand_before_those_of_its_runs_each_of_them_once() -> None:
    of_runs = {"a/b": RunWords(state="failed", tags=("late", "paper"), notes="it broke", share=0.5)}
    own = Annotation(tags=("paper", "odd"), notes="look again", revision=1)
    found = noted(of_runs, [("a/b", own), ("a/c", own)])
    assert found["a/b"] == RunWords(
        state="failed", tags=("paper", "odd", "late"), notes="look again\nit broke", share=0.5
    )
    assert found["a/c"] == RunWords(state="", tags=("paper", "odd"), notes="look again")


def test_they_go_into_the_trash_and_come_back_with_the_variant(ws: BoundWorkspace) -> None:
    ws.find(NAME).annotate(notes="keep this")
    delete(ws.store, NAME)
    restore(ws.store, NAME)
    assert ws.find(NAME).annotation.notes == "keep this"


def test_they_go_along_in_a_bundle_and_stand_in_the_way_of_none(ws: BoundWorkspace, tmp_path: Path) -> None:
    list(ws.variant("toy.sum", seed=1).train(steps=2, threads=1))
    variant = ws.variant("toy.sum", seed=1)
    variant.annotate(tags=("paper",), notes="from here")
    ws.bundle([variant], tmp_path / "one.zip")
    there = open_bound(tmp_path / "there", tables())
    (taken,) = there.adopt(tmp_path / "one.zip")
    assert (taken.annotation.tags, taken.annotation.notes) == (("paper",), "from here")
    variant.annotate(notes="another")
    ws.bundle([variant], tmp_path / "two.zip")
    there.adopt(tmp_path / "two.zip")
    assert taken.annotation.notes == "from here"


def test_the_command_changes_and_shows_them(command: Run, ws: BoundWorkspace) -> None:
    assert command("annotate", NAME)[:2] == (0, f"{NAME}:\n  no tags or notes\n")
    code, out, _ = command("annotate", NAME, "--tag", "paper", "--tag", "odd", "--notes", "a *b*\nc")
    written = ws.find(NAME).annotation.written
    assert (code, out) == (0, f"{NAME}:\n  {written} [paper, odd]\n  a *b*\n  c\n")
    command("annotate", NAME, "--no-tags")
    (row,) = json.loads(command("annotate", NAME, "--json")[1])
    assert (row["variant"], row["tags"], row["notes"], row["revision"]) == (NAME, [], "a *b*\nc", 2)
    assert [row["revision"] for row in json.loads(command("annotate", NAME, "--history", "--json")[1])] == [2, 1]
    code, _, err = command("annotate", NAME, "--tag", "a", "--no-tags")
    assert (code, err.splitlines()[0]) == (1, "Has it tags, or none?")


def test_steps_are_pinned_with_notes_and_unpinned_and_all_else_stays(ws: BoundWorkspace) -> None:
    variant = ws.find(NAME)
    variant.annotate(notes="n", pins={500: "memorised", 20: ""})
    after = variant.annotate(pins={500: "memorised here"}, unpin=[20, 30])
    assert after == variant.annotation
    assert (after.pins, after.notes, after.revision) == ((PinnedStep(step=500, note="memorised here"),), "n", 2)
    assert variant.annotate(unpin=[30]).revision == 2
    assert variant.annotate(tags=("paper",)).pins == after.pins


def test_of_many_who_pin_at_once_every_pin_is_kept(ws: BoundWorkspace) -> None:
    change = [AnnotationChange(pins=(PinnedStep(step=step),)) for step in range(6)]
    writers = [threading.Thread(target=change_annotation, args=(ws.store, NAME, each)) for each in change]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [pin.step for pin in annotation_of(ws.store, NAME).pins] == [0, 1, 2, 3, 4, 5]


def test_the_command_pins_and_shows_pins(command: Run, ws: BoundWorkspace) -> None:
    code, out, _ = command("annotate", NAME, "--pin", "1500=it = memorised", "--pin", "20")
    written = ws.find(NAME).annotation.written
    assert (code, out) == (0, f"{NAME}:\n  {written}\n  pinned 20\n  pinned 1,500: it = memorised\n")
    (row,) = json.loads(command("annotate", NAME, "--unpin", "20", "--json")[1])
    assert row["pins"] == [{"step": 1500, "note": "it = memorised"}]
    code, _, err = command("annotate", NAME, "--pin", "late")
    assert (code, err) == (1, "'late' pins no step.\nA pin is a step, and after '=' its note.\nSay  --pin 500=NOTE.\n")
