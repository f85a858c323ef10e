import re
from collections import Counter
from pathlib import Path

import pytest

import miscope_panel
from miscope.figures.client import FILES as SHARED
from miscope.figures.client import part
from miscope_panel.page.board_heading import BoardHeading
from miscope_panel.page.card import Card
from miscope_panel.page.client import sheet, source
from miscope_panel.page.cursor import Cursor
from miscope_panel.page.jobs_board import JobsBoard
from miscope_panel.page.launch.launch_view import LaunchView
from miscope_panel.page.parallel_drawer import ParallelAxes
from miscope_panel.page.rows_ahead import FoundInBrowser
from miscope_panel.page.shell import Shell

FILES = sorted([*(Path(miscope_panel.__file__).parent / "page" / "client").glob("*.*s"), *SHARED.glob("*.*s")])


@pytest.mark.parametrize(
    "component",
    [
        *("card", "page_cursor", "catalogue", "selected_files", "shell", "jobs_board", "analysis_grid"),
        *("parallel_axes", "runs_keys", "lens_list", "catalogue_board", "selected_bar", "board_heading", "rows_ahead"),
    ],
)
def test_every_component_carries_what_it_shares(component):
    assert "const h = (tag" in source(component)
    assert "export function render" in source(component)


def test_cursor_and_charts_of_the_page_are_those_that_a_notebook_has():
    assert part("cursor") in Cursor._esm
    assert part("chart") in Card._esm


@pytest.mark.parametrize(
    "component",
    [BoardHeading, Card, Cursor, FoundInBrowser, JobsBoard, LaunchView, ParallelAxes, Shell],
    ids=lambda component: component.__name__,
)
def test_parts_of_one_module_do_not_name_two_things_alike(component):
    names = re.findall(r"^(?:const|let|async function|function|class) (\w+)", component._esm, re.MULTILINE)
    assert [name for name, times in Counter(names).items() if times > 1] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_in_the_browser_names_another_machine(path):
    urls = re.findall(r"https?://[^\s\"')]+", path.read_text())
    assert urls in ([], ["http://www.w3.org/2000/svg"])


@pytest.mark.parametrize("path", [p for p in FILES if p.suffix == ".js"], ids=lambda path: path.name)
def test_no_text_is_ever_taken_for_markup(path):
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", path.read_text())


def test_both_themes_define_the_same_colours():
    light, dark = re.findall(r"\{(.*?)\}", sheet("look"), re.DOTALL)
    names = set(re.findall(r"--ms-[a-z-]+(?=:)", light)) - {"--ms-font", "--ms-mono"}
    assert names == set(re.findall(r"--ms-[a-z-]+(?=:)", dark))
