"""Pages that plug-ins add: found by a hook, opened when they are looked at, and no harm to the others."""

from __future__ import annotations

import types

import panel as pn
import pytest

from miscope import hookimpl
from miscope.testing import tables
from miscope.workspace import open_workspace
from miscope_panel.page import hookspecs
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.page_record import Page
from miscope_panel.page.pages import found_pages, server_context


class Told:
    """Shows what its own control says in the address."""

    opened = 0

    def __init__(self, context):
        Told.opened += 1
        self.view, self.selection = pn.pane.Str(""), context.selection

    def follow(self, place):
        if place.page == "mine.told":
            self.view.object = place.controls_of("mine.told").get("said", "")


class Sour:
    def __init__(self, context):
        self.view = pn.pane.Str("all is well")

    def follow(self, place):
        if place.controls_of("mine.sour"):
            raise ZeroDivisionError("division by zero")


def never(context):
    raise OSError("there is no such file")


PAGES = [
    Page(name="mine.told", title="Told", open=Told),
    Page(name="mine.sour", title="Sour", open=Sour),
    Page(name="mine.never", title="Never", open=never),
]


def offering(pages):
    module = types.ModuleType("mine")
    module.miscope_panel_pages = hookimpl(lambda: pages)
    return module


@pytest.fixture
def dashboard(tmp_path, at_once):
    workspace = open_workspace(tmp_path, tables(mine=offering(PAGES)))
    return lambda query="": Dashboard(server_context(workspace, at_once), query)


def test_a_page_of_a_plug_in_is_opened_when_it_is_looked_at_and_keeps_its_own_part_of_the_address(dashboard):
    before, opened = Told.opened, dashboard("page=installed")
    assert Told.opened == before
    opened.selection.place = opened.selection.place.turn("mine.told", "said", "hello")
    opened.selection.move(page="mine.told")
    opened.selection.move(page="installed")
    opened.selection.move(page="mine.told")
    assert (Told.opened, opened.opened("mine.told").view[0].object) == (before + 1, "hello")
    assert opened.shell.query == "page=mine.told&mine.told:said=hello"
    assert (opened.parts["installed"].css_classes, opened.parts["mine.told"].css_classes) == (["away"], [])
    assert dashboard(opened.shell.query).opened("mine.told").view[0].object == "hello"


def shown(page):
    return page.view[0].object


def test_a_page_of_a_plug_in_that_fails_says_so_and_the_others_go_on(dashboard):
    opened = dashboard("page=mine.never")
    assert shown(opened.opened("mine.never")) == (
        '<div class="page"><h2>Never cannot be shown.</h2><p>OSError: there is no such file</p>'
        "<p>It is of mine local.</p></div>"
    )
    opened.selection.move(page="mine.sour")
    assert shown(opened.opened("mine.sour")) == "all is well"
    opened.selection.place = opened.selection.place.turn("mine.sour", "now", "1")
    assert "<p>ZeroDivisionError: division by zero</p>" in shown(opened.opened("mine.sour"))
    opened.selection.move(page="runs")
    assert opened.parts["runs"].css_classes == []


def test_a_page_that_no_package_has_is_not_gone_to(dashboard):
    assert dashboard("page=mine.nowhere&theme=dark").selection.place.page == "views"


@pytest.mark.parametrize(
    ("pages", "told"),
    [
        ([Page(name="runs", title="Mine", open=never)], "there is a page 'runs' already"),
        (
            [Page(name="My Page", title="Mine", open=never)],
            "its name is 'My Page'; an address takes lower-case letters, digits, '-', '_' and '.'",
        ),
        ([Page(name="mine", title="Runs", open=never)], "there is a page with the title 'Runs' already"),
        ([Page(name="mine", title=" Runs", open=never)], "there is a page with the title ' Runs' already"),
        ([Page(name="mine", title=" ", open=never)], "its title is ' '; a tab takes a text that is not empty"),
        ([Page(name="mine", title=None, open=never)], "its title is None; a tab takes a text that is not empty"),
        (["a page"], "miscope_panel_pages yields Page records, and gave 'a page'"),
        (7, "TypeError: 'int' object is not iterable"),
    ],
)
def test_what_cannot_be_a_page_is_left_out_and_listed(pages, told, tmp_path, at_once):
    plugins = tables(mine=offering(pages))
    found = found_pages(plugins)
    assert ([*found.pages], [one.reason for one in found.broken]) == ([*found_pages(tables()).pages], [told])
    workspace = open_workspace(tmp_path, plugins)
    html = Dashboard(server_context(workspace, at_once), "page=installed").opened("installed").view.object
    assert "mine" in html
    assert told.replace("'", "&#x27;") in html


def test_pages_of_plug_ins_are_listed_with_who_adds_them(dashboard):
    html = dashboard("page=installed").opened("installed").view.object
    assert "<h3>Pages (3)</h3>" in html
    assert "<td><code>mine.told</code></td><td>Told</td><td>mine local</td>" in html


def test_the_example_of_the_hook_is_a_page_that_works(trained, at_once):
    example = hookspecs.miscope_panel_pages.__doc__.partition(".. code-block:: python\n")[2]
    module = types.ModuleType("example")
    import textwrap

    exec(textwrap.dedent(example), module.__dict__)
    workspace = open_workspace(trained.root, tables(example=module))
    opened = Dashboard(server_context(workspace, at_once), "page=example.count")
    assert opened.opened("example.count").view[0].object == "2 variants"
