"""Lenses: files of packages and workspaces, what they name, and what is drawn through them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import plotly.graph_objects as go
import pytest

from miscope import Grain, Lens, LensSection, LensView, Needs, Toggle, View, ViewData, hookimpl, lenses_in
from miscope.bound import BoundWorkspace
from miscope.errors import BadValue, UnknownName
from miscope.figures.lenses import known_lenses
from miscope.lens_file import read_lens

WRITTEN = """
name: learning
title: Learning
question: When is it learned?
sections:
  - title: Curves
    views:
      - some.alone
      - {view: some.together, title: Both, controls: {marked: true}}
  - title: Elsewhere
    views: [not.installed]
"""


def alone(shown: ViewData) -> go.Figure:
    """Of one variant."""
    return go.Figure(layout={"title": {"text": shown.variant.name}})


def together(shown: ViewData, marked: bool) -> go.Figure:
    """Of several variants."""
    return go.Figure(layout={"title": {"text": f"{len(shown.members)} {marked}"}})


ALONE = View(name="some.alone", title="Alone", grain=Grain.TRAJECTORY, draw=alone, needs=Needs(metrics=("train_loss",)))
TOGETHER = View(
    name="some.together",
    title="Together",
    grain=Grain.COHORT,
    draw=together,
    needs=Needs(metrics=("train_loss",)),
    controls=(Toggle(name="marked"),),
)
LEARNING = Lens(
    name="learning",
    title="Learning",
    question="When is it learned?",
    sections=(
        LensSection(
            title="Curves",
            views=(
                LensView(view="some.alone"),
                LensView(view="some.together", title="Both", controls={"marked": True}),
            ),
        ),
        LensSection(title="Elsewhere", views=(LensView(view="not.installed"),)),
    ),
)


def offering(*lenses: Lens) -> ModuleType:
    module = ModuleType("some")
    module.miscope_views = hookimpl(lambda: (ALONE, TOGETHER))  # type: ignore[attr-defined]
    module.miscope_lenses = hookimpl(lambda: lenses)  # type: ignore[attr-defined]
    return module


@pytest.fixture
def place(workspace: Callable[..., BoundWorkspace]) -> BoundWorkspace:
    return workspace(some=offering(LEARNING))


def written(folder: Path, text: str, name: str = "one.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_says_the_same_as_the_record(tmp_path: Path):
    path = written(tmp_path, WRITTEN)
    assert read_lens(path) == LEARNING
    assert lenses_in(tmp_path) == (LEARNING,)
    assert [view.view for view in LEARNING.views] == ["some.alone", "some.together", "not.installed"]


FORM = (
    "A lens has `name`, `title`, `question`, `synonyms` and `sections`; a section `title` and `views`; a view is a "
    "name, or has `view`, `title` and `controls`.\nCorrect it there; `miscope lenses` lists those that can be read."
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name: a\ntitle: A\nsections: []\n", "is no lens: sections: Tuple should have at least 1 item"),
        ("name: A B\ntitle: A\nsections: [{title: x, views: [a.b]}]\n", "is no lens: name: String should match"),
        (
            "name: a\ntitle: A\nsections: [{title: x, views: [a.b], rows: 2}]\n",
            "is no lens: sections.0.rows: there",
        ),
        ("name: a\ntitle: A\nsections: [{title: x, views: [{view: a.b, controls: {k: [1]}}]}]\n", "is no lens: sec"),
        ("- a\n- b\n", "is no lens: Input should be a valid dictionary"),
        ("name: [\n", "is no YAML: expected the node content, but found '<stream end>', line 2"),
        ("name: a\nname: b\n", 'is no YAML: found duplicate key "name" with value "b" (original value: "a"), line 2'),
        ('name: a\ntitle: "\\e[31m"\n', "is no lens: title: String should match pattern"),
        ("name: a\ntitle: A\nsections: [{title: x, views: [{view: a.b, controls: {k: .nan}}]}]\n", "is no lens: sec"),
        ("!!python/object:os.system x", "is no YAML: could not determine a constructor"),
    ],
)
def test_a_file_that_is_no_lens_is_refused_with_the_place_in_it(tmp_path: Path, text: str, fault: str):
    path = written(tmp_path, text)
    with pytest.raises(BadValue) as refused:
        read_lens(path)
    first, rest = str(refused.value).split("\n", 1)
    assert first.startswith(f"{path} {fault}")
    assert rest == FORM


def test_a_file_that_cannot_be_read_or_is_too_large_is_refused(tmp_path: Path):
    with pytest.raises(BadValue, match=r"nowhere\.yaml is no lens: it is no file"):
        read_lens(tmp_path / "nowhere.yaml")
    endless = tmp_path / "endless.yaml"
    endless.symlink_to("/dev/zero")
    with pytest.raises(BadValue, match=r"endless\.yaml is no lens: it is no file"):
        read_lens(endless)
    large = written(tmp_path, "# " + "x" * 2**18)
    with pytest.raises(BadValue, match="it has more than 262144 bytes"):
        read_lens(large)


def test_the_lens_of_a_workspace_stands_for_that_of_a_package_with_the_same_name(place: BoundWorkspace):
    assert known_lenses(place.value).lenses == {"learning": LEARNING}
    folder = place.root / "lenses"
    mine = written(folder, WRITTEN.replace("Learning", "Mine"))
    again = written(folder, WRITTEN, "two.yaml")
    bad = written(folder, "name: [", "worse.yaml")
    known = known_lenses(place.value)
    assert known.lenses["learning"].title == "Mine"
    assert known.own == {"learning": str(mine)}
    assert known.faults[0] == f"{again} is left out: {mine} has a lens named 'learning', too."
    assert known.faults[1].startswith(f"{bad} is no YAML: ")


def test_an_unknown_lens_is_refused_with_those_that_there_are(place: BoundWorkspace):
    with pytest.raises(UnknownName) as refused:
        place.lens("lerning", [])
    assert str(refused.value) == (
        "There is no lens named 'lerning'.\nDid you mean 'learning'?\n"
        "`miscope lenses` lists those that there are: learning."
    )


def test_a_lens_of_which_nothing_is_installed_says_so(workspace: Callable[..., BoundWorkspace]):
    place = workspace()
    written(place.root / "lenses", WRITTEN, "mine.yml")
    with pytest.raises(BadValue) as refused:
        place.lens("learning", [])
    assert str(refused.value) == (
        "Nothing of the lens 'learning' is installed.\n"
        "Its views are: some.alone, some.together, not.installed.\n"
        "Install the package that has them; `miscope views` lists what there is."
    )


def test_a_record_that_is_no_lens_is_left_out_and_the_others_stay(workspace: Callable[..., BoundWorkspace]):
    plugins = workspace(some=offering("learning", LEARNING)).plugins  # type: ignore[arg-type]
    assert list(plugins.lenses) == ["learning"]
    (left,) = plugins.broken_among("lens")
    assert left.reason == "miscope_lenses yields Lens records, and gave 'learning'"
    assert plugins.provided_by["lens", "learning"].plugin == "some"


def test_through_a_lens_a_comparison_is_drawn_once_and_any_other_view_of_each(place: BoundWorkspace):
    variants = [place.variant("toy.sum", seed=seed, steps=2) for seed in (0, 1)]
    for variant in variants:
        list(variant.train(threads=1))
    looked = place.lens("learning", variants)
    titles = [one.figure().layout.title.text for one in looked]  # pyright: ignore
    assert titles == [variants[0].name, variants[1].name, "2 True"]
    assert [one.figure().layout.title.text for one in variants[0].lens("learning")] == [variants[0].name, "1 True"]  # pyright: ignore


def test_a_report_holds_the_figures_of_a_lens_in_its_order(place: BoundWorkspace, tmp_path: Path):
    from miscope.reporting.report import report

    variants = [place.variant("toy.sum", seed=seed, steps=2) for seed in (0, 1)]
    for variant in variants:
        list(variant.train(threads=1))
    *_, last = report(place.value, [v.value for v in variants], tmp_path / "r.html", views=LEARNING)
    assert last.report is not None
    assert [(shown.view, shown.of) for shown in last.report.views] == [
        ("some.alone", "seed=0"),
        ("some.alone", "seed=1"),
        ("some.together", ""),
    ]


def test_the_command_lists_lenses_and_what_is_in_one(
    command: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("MISCOPE_PLUGINS", "core")
    root = tmp_path / "w"
    path = written(root / "lenses", WRITTEN)
    written(root / "lenses", "name: [", "worse.yaml")
    code, out, err = command("lenses", "-w", root)
    assert code == 0
    assert (
        out.split()
        == f"lens title what it is meant to answer from learning Learning When is it learned? {path}".split()
    )
    assert "worse.yaml is no YAML" in err
    _, out, _ = command("lenses", "learning", "-w", root)
    assert out == (
        "Learning\nWhen is it learned?\n\nCurves\n  some.alone  (not installed)\n"
        "  some.together  marked=True  (not installed)\n\nElsewhere\n  not.installed  (not installed)\n"
    )
    _, out, _ = command("lenses", "--json", "-w", root)
    (told,) = json.loads(out)
    assert (told["name"], told["from"], told["sections"][0]["views"][1]["controls"]) == (
        "learning",
        str(path),
        {"marked": True},
    )
    code, _, err = command("lenses", "lerning", "-w", root)
    assert code == 1
    assert "Did you mean 'learning'?" in err


def test_a_report_is_of_views_or_of_a_lens(command: Callable[..., tuple[int, str, str]], tmp_path: Path):
    words = ("--out", tmp_path / "r.html", "--views", "a.b", "--lens", "x", "-w", tmp_path / "w")
    code, _, err = command("report", "some/variant", *words)
    assert code == 1
    assert err == "--views and --lens exclude each other.\nA lens says which views.\nGive one of them.\n"
