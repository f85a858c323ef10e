from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest

from miscope.bound import BoundVariant, BoundWorkspace
from miscope.errors import BadValue
from miscope.figures.export import NoBrowser
from miscope.reporting.templating import BrokenTemplate

STEP = ["small.step"]


@pytest.mark.usefixtures("chromium_path")
def test_markdown_is_one_file_with_its_pictures_inside(seeds: list[BoundVariant], tmp_path: Path):
    text = seeds[0].report(tmp_path / "r.md", views=STEP).read_text(encoding="utf-8")
    (picture,) = re.findall(r"!\[Figure 1[^\]]*\]\(data:image/png;base64,([^)]+)\)", text)
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    assert "### Figure 1. Step \\<b\\>shown\\</b\\>" in text
    assert f"| digest | {seeds[0].value.digest} |" in text
    assert [path.name for path in tmp_path.iterdir()] == ["r.md"]


@pytest.mark.usefixtures("chromium_path")
def test_a_pdf_is_printed_with_its_pages_and_figures(seeds: list[BoundVariant], tmp_path: Path):
    content = seeds[0].report(tmp_path / "r.pdf", views=STEP).read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) >= 2


def test_a_notebook_draws_every_figure_again_from_its_own_folder(
    place: BoundWorkspace, seeds: list[BoundVariant], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nothing"))
    path = place.root.parent / "r.ipynb"
    held = json.loads(seeds[0].report(path, views=STEP, static=False).read_text(encoding="utf-8"))
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.from_dict(held))
    code = [cell for cell in held["cells"] if cell["cell_type"] == "code"]
    assert code[0]["source"] == "import miscope\n\nworkspace = miscope.open('ws')"
    assert code[1]["source"] == "workspace.find('toy.sum/v5-seed0-width16').at(30).view('small.step')"
    (output,) = code[1]["outputs"]
    assert output["data"]["application/vnd.plotly.v1+json"]["data"][0]["y"] == [30]
    drawn = eval(code[1]["source"], {"workspace": place})
    assert drawn.figure().data[0].y == (30,)


def test_pictures_need_a_browser_and_figures_do_not(seeds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "nothing"))
    assert seeds[0].report(tmp_path / "r.html", views=STEP).exists()
    for name in ("r.md", "r.pdf", "r.ipynb"):
        with pytest.raises(NoBrowser):
            seeds[0].report(tmp_path / name, views=STEP)
        assert not (tmp_path / name).exists()


def test_figures_that_can_be_zoomed_are_refused_where_nothing_zooms(seeds, tmp_path: Path):
    with pytest.raises(BadValue) as error:
        seeds[0].report(tmp_path / "r.pdf", static=False)
    assert str(error.value) == (
        "In pdf there are no figures that can be zoomed.\n"
        "Only html and ipynb hold them.\n"
        "Leave --interactive out, or write html."
    )


@pytest.fixture
def own_templates(place: BoundWorkspace):
    folder = place.store.layout.report_templates
    folder.mkdir(parents=True)
    yield folder
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.parent.rmdir()


def test_a_template_in_the_workspace_goes_before_miscopes_and_may_extend_it(seeds, own_templates: Path, tmp_path: Path):
    (own_templates / "report.html.j2").write_text(
        '{% extends "miscope/report.html.j2" %}{% block summary %}<p>Ours, {{ report.title }}</p>{% endblock %}'
    )
    page = seeds[0].report(tmp_path / "r.html", views=STEP, title="<i>").read_text(encoding="utf-8")
    assert "<p>Ours, &lt;i&gt;</p>" in page
    assert "<h2>Summary</h2>" not in page
    assert "<h2>Events</h2>" in page


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("a\n{% if %}", "report.html.j2, line 2: Expected an expression, got 'end of statement block'."),
        ("a\n\n{{ report.no_such }}", "report.html.j2, line 3: 'miscope.reporting.content.Report object' has no "),
        ("{{ report.title + 1 }}", 'TypeError: can only concatenate str (not "int") to str.'),
        ("{% extends 'report.html.j2' %}", "RecursionError: maximum recursion depth exceeded"),
        ("{% include 'not-there' %}", "It includes 'not-there', and there is no such template."),
    ],
)
def test_a_template_that_cannot_be_filled_is_named(
    seeds, own_templates: Path, tmp_path: Path, template: str, problem: str
):
    (own_templates / "report.html.j2").write_text(template)
    with pytest.raises(BrokenTemplate) as error:
        seeds[0].report(tmp_path / "r.html", views=STEP)
    first, second, third = str(error.value).splitlines()
    assert first == "The template report.html.j2 of this report cannot be filled."
    assert problem in second
    assert third == f"Correct it in {own_templates}, or take it away from there: then miscope's own is used."
    assert not (tmp_path / "r.html").exists()
