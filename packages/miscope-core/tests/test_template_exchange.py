"""Templates as JSON: what is exported comes back, each item is reported on, and nothing of another's is trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from miscope.errors import BadValue
from miscope.studies.conflict import Conflict
from miscope.studies.document import parsed
from miscope.studies.template_exchange import Action, exported, import_templates
from miscope.studies.templates import Templates
from miscope.testing import tables
from miscope.workspace import open_workspace

STUDY = "family: toy.sum\nbase: {eps: 1e-8}\nmatrix: {seed: [1, 2]}\n"


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    """Two templates, one of them used."""
    made = Templates(open_workspace(tmp_path / "ws", tables()))
    first = made.save({"name": "One", "tags": ["a"], "favourite": True, "description": "first"}, parsed(STUDY, "s"))
    made.note_use(first, made.study(first), ["x"])
    made.save({"name": "Two"}, parsed("family: toy.fourier\n", "s"))
    return made


@pytest.fixture
def elsewhere(tmp_path: Path) -> Templates:
    return Templates(open_workspace(tmp_path / "elsewhere", tables()))


def text_of(*items: object, **top: object) -> str:
    return json.dumps({"format": "miscope.templates", "version": 1, "templates": list(items), **top})


def item(name: str = "One", **others: Any) -> dict[str, Any]:
    return {"name": name, "study": {"family": "toy.sum", "base": {"width": 8}}, **others}


def contents(templates: Templates) -> list[tuple[Any, ...]]:
    return [
        (
            one.facts.name,
            one.facts.description,
            one.facts.favourite,
            one.facts.tags,
            templates.study(one, name="n").runs,
        )
        for one in templates.all()
    ]


def test_what_is_exported_comes_back_elsewhere_without_what_is_of_one_workspace(
    templates: Templates, elsewhere: Templates
) -> None:
    text = json.dumps(exported(templates.all()))
    assert '"id"' not in text
    assert '"uses"' not in text
    report = import_templates(elsewhere, text)
    assert [(one.name, one.action, one.kept_as) for one in report] == [
        ("One", Action.CREATED, "One"),
        ("Two", Action.CREATED, "Two"),
    ]
    assert contents(elsewhere) == contents(templates)
    assert [one.uses for one in elsewhere.all()] == [0, 0]


@pytest.mark.parametrize(
    ("conflict", "action", "kept_as", "names"),
    [
        (Conflict.SKIP, Action.SKIPPED, None, ["One", "Two"]),
        (Conflict.OVERWRITE, Action.UPDATED, "ONE", ["ONE", "Two"]),
        (Conflict.RENAME, Action.RENAMED, "ONE (copy)", ["One", "ONE (copy)", "Two"]),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_name_that_is_there_is_dealt_with_as_one_says(  # noqa: PLR0913 - what is compared
    templates: Templates,
    *,
    conflict: Conflict,
    action: Action,
    kept_as: str | None,
    names: list[str],
    dry_run: bool,
) -> None:
    before = contents(templates)
    (one,) = import_templates(templates, text_of(item("ONE")), conflict=conflict, dry_run=dry_run)
    assert (one.action, one.kept_as) == (action, kept_as)
    if dry_run:
        assert contents(templates) == before
        return
    assert [each.facts.name for each in templates.all()] == names
    if conflict is Conflict.OVERWRITE:
        assert templates.find("ONE").uses == 1
        assert templates.find("ONE").study.values["base"] == {"width": 8}


def test_two_items_of_one_name_are_a_conflict_too(elsewhere: Templates) -> None:
    text = text_of(item("a"), item("A"), item("a"))
    for dry_run in (True, False):
        report = import_templates(elsewhere, text, conflict=Conflict.RENAME, dry_run=dry_run)
        assert [one.kept_as for one in report] == ["a", "A (copy)", "a (copy 2)"]


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ("text", "This is no template."),
        ({"name": "x"}, "This is no template."),
        ({**item("x"), "id": "../../x"}, "A template has no key 'id'."),
        (item(""), "A template does not take name='': String should have at least 1 character."),
        (item("x", favourite="perhaps"), "A template does not take favourite='perhaps':"),
        (item("x", study={"family": "toy.som"}), "study: There is no family named 'toy.som'."),
        (item("x", study={"family": "toy.sum", "base": {"widht": 1}}), "study: There is no field named 'widht'."),
        (item("x", study={"family": "toy.sum", "base": {"width": -1}}), "study: toy.sum refuses width=-1:"),
        (
            item("x", study={"family": "toy.sum", "extends": "/etc/passwd"}),
            "study: There is no key 'extends' in a study.",
        ),
    ],
)
def test_an_item_that_is_no_template_is_reported_and_the_others_are_kept(
    elsewhere: Templates, bad: object, error: str
) -> None:
    report = import_templates(elsewhere, text_of(item("before"), bad, item("after")))
    assert [one.action for one in report] == [Action.CREATED, Action.INVALID, Action.CREATED]
    assert report[1].error.startswith(error)
    assert [one.facts.name for one in elsewhere.all()] == ["after", "before"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", "This is no JSON: Expecting property name enclosed in double quotes"),
        ("[]", "These are no templates."),
        (json.dumps({"templates": []}), "These are no templates."),
        (text_of(version=2), "These templates are of another version."),
        (text_of(templates={}), "`templates` is not as it should be."),
        (text_of(*[{}] * 501), "`templates` is not as it should be."),
        (text_of("x" * 2**20), "The text is too long."),
        ("[" * 100_000, "This is no JSON: "),
    ],
    ids=["no JSON", "list", "no format", "version", "kind", "many", "long", "deep"],
)
def test_a_text_that_is_none_as_a_whole_is_refused(elsewhere: Templates, text: str, error: str) -> None:
    with pytest.raises(BadValue) as refused:
        import_templates(elsewhere, text)
    assert str(refused.value).startswith(error)
    assert not elsewhere.folder.exists()


def test_the_commands_give_and_take_a_file(
    templates: Templates,
    command: Callable[..., tuple[int, str, str]],
    offer: Callable[[str, str], None],
    tmp_path: Path,
) -> None:
    offer("toy", "miscope.testing.toy")
    place = ("-w", templates.folder.parent)
    out = tmp_path / "shared.json"
    assert command("templates", "export", "--out", out, *place)[:2] == (0, f"2 templates in {out}\n")
    assert json.loads(command("templates", "export", "two", *place)[1])["templates"][0]["name"] == "Two"
    there = ("-w", tmp_path / "third")
    code, printed, err = command("templates", "import", out, *there)
    assert code == 0
    assert [line.split() for line in printed.splitlines()[1:]] == [["One", "created", "One"], ["Two", "created", "Two"]]
    assert err == "2 created\n"
    out.write_text(text_of(item("One"), {"name": "bad"}))
    words = ("templates", "import", out, "--on-conflict", "rename", "--dry-run", "--json", *there)
    code, printed, _ = command(*words)
    assert code == 1
    assert [(one["action"], one["kept_as"]) for one in json.loads(printed)] == [
        ("renamed", "One (copy)"),
        ("invalid", None),
    ]
