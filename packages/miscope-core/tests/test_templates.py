"""Templates: studies that are kept in a workspace, found by name, counted when something is run from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miscope.bound import BoundWorkspace, open_bound
from miscope.errors import BadValue, UnknownName
from miscope.settings import settings_of
from miscope.studies.bad_study import BadStudy
from miscope.studies.document import Document, parsed
from miscope.studies.templates import Templates
from miscope.testing import tables

Run = Callable[..., tuple[int, str, str]]

STUDY = """
family: toy.sum
base: {checkpoints: 'every:2', values: 7}
matrix: {seed: [1, 2]}
run_name: s{seed}
train: {steps: 2, threads: 1}
"""


@pytest.fixture
def ws(offer: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BoundWorkspace:
    """A workspace in force for the commands, and the study beside it."""
    offer("toy", "miscope.testing.toy")
    (tmp_path / "sweep.yaml").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MISCOPE_WORKSPACE", str(tmp_path / "ws"))
    return open_bound(tmp_path / "ws", tables())


@pytest.fixture
def templates(ws: BoundWorkspace) -> Templates:
    return Templates(ws.value)


def study(text: str = STUDY) -> Document:
    return parsed(text, "sweep.yaml")


def facts(**others: Any) -> dict[str, Any]:
    return {"name": "Small sums", **others}


# --- kept and found -----------------------------------------------------------------------------------------------


def test_a_template_is_a_study_file_that_is_the_same_study(templates: Templates, ws: BoundWorkspace) -> None:
    kept = templates.save(facts(description="to try", tags=["sums"], favourite=True), study())
    assert kept.id == "small-sums"
    path = ws.root / "templates" / "small-sums.yaml"
    values = parsed(path.read_text(encoding="utf-8"), "t.yaml").values
    assert {key: value for key, value in values.items() if key != "template"} == study().values
    found = Templates(ws.value).find("small sums")
    assert found.facts == kept.facts
    assert (found.facts.description, found.facts.tags, found.facts.favourite) == ("to try", ("sums",), True)
    whole = templates.study(found)
    assert (whole.name, [run.name for run in whole.runs]) == ("small-sums", ["s1", "s2"])
    assert templates.study(found, name="others").runs[0].train.group == "others"


def test_a_template_stands_alone_whatever_its_study_extended(command: Run, ws: BoundWorkspace, tmp_path: Path) -> None:
    (tmp_path / "wider.yaml").write_text("name: wide\nextends: sweep.yaml\nbase: {width: 32}\n")
    assert command("templates", "save", "Wider", "wider.yaml", "--tag", "a", "--tag", "b")[0] == 0
    for name in ("sweep.yaml", "wider.yaml"):
        (tmp_path / name).unlink()
    code, out, _ = command("sweep", "Wider", "--dry-run", "--json")
    assert code == 0
    assert json.loads(out)["study"] == "wider"
    assert [run["settings"]["width"] for run in json.loads(out)["runs"]] == [32, 32]


def test_favourites_come_first_then_names_whatever_their_case(templates: Templates) -> None:
    for name, favourite in (("beta", False), ("Alpha", False), ("gamma", True)):
        templates.save({"name": name, "favourite": favourite}, study())
    assert [one.facts.name for one in templates.all()] == ["gamma", "Alpha", "beta"]


def test_two_templates_of_one_name_are_refused_unless_the_other_is_to_go(templates: Templates) -> None:
    first = templates.save(facts(description="kept", favourite=True), study())
    templates.note_use(first, templates.study(first), ["s1"])
    with pytest.raises(BadValue) as refused:
        templates.save({"name": "SMALL sums"}, study())
    assert str(refused.value) == (
        "There is a template named 'Small sums' already.\n"
        "Names differ in more than upper and lower case.\n"
        "Choose another name, or have it replaced:  --overwrite"
    )
    second = templates.save({"name": "SMALL sums"}, study("family: toy.sum\n"), over=True)
    assert (second.id, second.facts.name, second.uses) == (first.id, "SMALL sums", 1)
    assert (second.facts.description, second.facts.favourite, second.facts.created) == (
        "kept",
        True,
        first.facts.created,
    )
    assert len(templates.study(second).runs) == 1


def test_names_that_make_the_same_file_name_are_kept_apart(templates: Templates) -> None:
    made = [templates.save({"name": name}, study()).id for name in ("a b", "a/b", "../a b", "äö", "-")]
    assert made == ["a-b", "a-b-2", "a-b-3", "template", "template-2"]


@pytest.mark.parametrize("name", ["", " ", " a", "a\n", "a" * 256, None])
def test_a_name_that_is_none_is_refused(templates: Templates, name: Any) -> None:
    with pytest.raises(BadValue, match="A template does not take name="):
        templates.save({"name": name}, study())
    assert not templates.folder.exists()


def test_what_is_no_study_is_not_kept(templates: Templates) -> None:
    with pytest.raises(BadStudy, match=r"sweep.yaml, line 4: There is no field named 'sed'"):
        templates.save(facts(), study(STUDY.replace("seed: [", "sed: [")))
    assert not templates.folder.exists()


def test_a_template_that_is_not_there_is_told_with_what_it_is_like(templates: Templates) -> None:
    templates.save(facts(), study())
    with pytest.raises(UnknownName) as unknown:
        templates.find("Small sum")
    assert str(unknown.value) == (
        "There is no template named 'Small sum'.\n"
        "Did you mean 'Small sums'?\n"
        "`miscope templates` lists the 1 there are."
    )


def test_a_damaged_file_is_told_and_hides_no_other(templates: Templates, command: Run) -> None:
    templates.save(facts(), study())
    (templates.folder / "bad.yaml").write_text("template: {nme: x}\nfamily: toy.sum\n")
    assert [one.id for one in templates.all()] == ["small-sums"]
    place = templates.folder / "bad.yaml"
    assert templates.broken() == {
        "bad": f"{place}, line 1: A template does not take name={{'nme': 'x'}}: it must be given. "
        "It has a name of 1 to 255 characters, a description, tags, and is a favourite or not. "
        "Change it and try again; nothing was written."
    }
    with pytest.raises(BadStudy):
        templates.find("bad")
    code, out, err = command("templates")
    assert code == 0
    assert "Small sums" in out
    assert "bad.yaml, line 1" in err


# --- changed, copied, forgotten -------------------------------------------------------------------------------------


def test_a_copy_is_named_as_one_and_begins_unused(templates: Templates) -> None:
    first = templates.save(facts(favourite=True, tags=["sums"]), study())
    templates.note_use(first, templates.study(first), ["s1"])
    copies = [templates.duplicate(templates.find(name)) for name in ("Small sums", "Small sums", "Small sums (copy)")]
    assert [copy.facts.name for copy in copies] == ["Small sums (copy)", "Small sums (copy 2)", "Small sums (copy 3)"]
    assert {(copy.uses, copy.facts.favourite, copy.facts.tags) for copy in copies} == {(0, False, ("sums",))}
    assert copies[0].study.values["matrix"] == first.study.values["matrix"]


def test_what_is_said_of_a_template_can_be_changed_alone(templates: Templates) -> None:
    first = templates.save(facts(description="old"), study())
    templates.save({"name": "other"}, study())
    changed = templates.change(first, favourite=True, name="Sums")
    assert (changed.id, changed.facts.name, changed.facts.description) == ("small-sums", "Sums", "old")
    with pytest.raises(BadValue, match="There is a template named 'other' already"):
        templates.change(changed, name="OTHER")
    with pytest.raises(BadValue, match="does not take colour="):
        templates.change(changed, colour="red")
    other = templates.change(changed, study("family: toy.fourier\n"))
    assert templates.study(other).family == "toy.fourier"


def test_a_deleted_template_leaves_what_was_run_from_it(templates: Templates, command: Run, ws: BoundWorkspace) -> None:
    templates.save(facts(), study())
    assert command("sweep", "Small sums", "--only", "s1")[0] == 0
    assert command("templates", "delete", "small-sums")[:2] == (0, "Small sums: deleted\n")
    assert list(templates.folder.iterdir()) == []
    assert len(ws.names()) == 1
    assert (ws.root / "studies" / "small-sums.yaml").exists()


# --- used -----------------------------------------------------------------------------------------------------------


def test_a_use_is_counted_when_a_run_is_started_and_not_when_none_is(templates: Templates, command: Run) -> None:
    templates.save(facts(), study())
    assert command("sweep", "Small sums", "--dry-run")[0] == 0
    assert (templates.find("Small sums").uses, templates.find("Small sums").last_used) == (0, None)
    assert command("sweep", "Small sums", "--name", "first")[0] == 0
    assert templates.find("Small sums").uses == 1
    assert command("sweep", "Small sums", "--name", "first")[0] == 0  # everything is there
    used = templates.find("Small sums")
    assert used.uses == 1
    assert used.last_used is not None
    assert used.facts.updated <= used.last_used


def test_uses_that_are_noted_at_once_are_all_counted(templates: Templates, ws: BoundWorkspace) -> None:
    template = templates.save(facts(), study())
    others = [Templates(ws.value) for _ in range(3)]
    for place in others * 4:
        place.note_use(template, place.study(template), ["s1"])
    templates.change(template, favourite=True)
    assert templates.find(template.id).uses == 12


def test_the_settings_of_a_variant_are_a_template_too(command: Run, ws: BoundWorkspace) -> None:
    variant = ws.variant("toy.sum", seed=3, values=7, learning_rate=3e-4, steps=2)
    list(variant.train(threads=1))
    assert command("templates", "save", "As that", variant.name, "--favourite")[0] == 0
    templates = Templates(ws.value)
    (run,) = templates.study(templates.find("As that")).runs
    assert settings_of(run.variant) == settings_of(variant.value)


def test_the_command_lists_shows_and_changes(command: Run, ws: BoundWorkspace) -> None:
    assert command("templates")[1] == (
        f"There is no such template in {ws.root}.  To keep one:  miscope templates save NAME STUDY.yaml\n"
    )
    assert command("templates", "save", "Sums", "sweep.yaml", "--description", "to try")[0] == 0
    assert command("templates", "edit", "sums", "--favourite", "--tag", "small")[:2] == (0, "Sums\n")
    assert command("templates", "duplicate", "sums")[1] == "Sums (copy)\n"
    (row,) = json.loads(command("templates", "list", "--json", "--tag", "small", "--family", "toy.sum")[1])[:1]
    assert (row["name"], row["favourite"], row["study"]["matrix"]) == ("Sums", True, {"seed": [1, 2]})
    lines = command("templates", "list")[1].splitlines()
    assert [line.split() for line in lines] == [
        ["template", "family", "uses", "for"],
        ["*", "Sums", "toy.sum", "0", "to", "try"],
        ["Sums", "(copy)", "toy.sum", "0", "to", "try"],
    ]
    shown = command("templates", "show", "Sums")[1]
    assert parsed(shown, "shown").values["template"]["tags"] == ["small"]
    assert json.loads(command("templates", "show", "Sums", "--json")[1])["id"] == "sums"
    assert command("templates", "list", "--family", "toy.fourier", "--json")[1] == "[]\n"
