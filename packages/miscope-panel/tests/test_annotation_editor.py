"""Tags and notes on the page: typed, saved, and put together with what another typed meanwhile."""

from __future__ import annotations

import re
from concurrent.futures import Executor

import pytest

from miscope.bound import BoundWorkspace
from miscope.runs.run_queue import RunQueue
from miscope.store.annotation import Annotation, merged
from miscope.store.annotation_files import annotate, annotation_of
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.shown.markdown import rendered

NAME, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"


@pytest.fixture
def ws(empty: BoundWorkspace) -> BoundWorkspace:
    """With one variant, which was never trained."""
    empty.store.save_variant(empty.variant("toy.sum").value)
    return empty


@pytest.fixture
def bench(ws: BoundWorkspace, at_once: Executor) -> Dashboard:
    """At the runs, with the editor open for the one variant."""
    return opened(made(ws, at_once))


def made(ws: BoundWorkspace, at_once: Executor) -> Dashboard:
    """A page on which things may be changed."""
    server = server_context(ws.value, at_once, queue=RunQueue(ws.root), summon=lambda: None)
    return Dashboard(server, "page=runs&sort=seed")


def opened(bench: Dashboard) -> Dashboard:
    bench.opened("runs").grid.widget.selection = [0]
    bench.opened("runs").selected.annotate.clicks += 1
    return bench


def typed(bench: Dashboard, *, tags: str, notes: str) -> None:
    bench.opened("runs").editor.tags.value, bench.opened("runs").editor.notes.value = tags, notes
    bench.opened("runs").editor.save.clicks += 1


def fields(bench: Dashboard) -> tuple[str, str]:
    return bench.opened("runs").editor.tags.value, bench.opened("runs").editor.notes.value


def test_it_is_away_until_one_variant_is_selected_and_asked_for(ws, at_once):
    bench = made(ws, at_once)
    assert (bench.opened("runs").selected.annotate.disabled, bench.opened("runs").editor.view.visible) == (True, False)
    opened(bench)
    assert (bench.opened("runs").selected.annotate.disabled, bench.opened("runs").editor.view.visible) == (False, True)
    assert bench.opened("runs").editor.heading.object == f"<h2>{NAME}</h2>"
    bench.opened("runs").editor.close.clicks += 1
    assert not bench.opened("runs").editor.view.visible


def test_what_was_typed_is_kept_and_stands_in_the_table(bench, ws):
    typed(bench, tags=" paper, odd one,, paper", notes="diverged *once*")
    kept = annotation_of(ws.store, NAME)
    assert (kept.tags, kept.notes, kept.revision) == (("paper", "odd one"), "diverged *once*", 1)
    assert not bench.opened("runs").editor.view.visible
    (row,) = bench.opened("runs").grid._rows
    assert (row.cells["tags"], row.cells["notes"]) == ("paper, odd one", "diverged *once*")
    opened(bench)
    assert fields(bench) == ("paper, odd one", "diverged *once*")
    preview = bench.opened("runs").editor.preview
    assert preview.object == (
        '<div role="region" aria-label="Notes as they are read" tabindex="0"><p>diverged <em>once</em></p>\n</div>'
    )
    assert re.search(r'\[role="region"\] \{ max-height: \d+px; overflow: auto; \}', preview.stylesheets[0])


def test_a_page_of_a_server_that_was_started_anew_opens_it_over_what_was_read_before(bench, ws, at_once):
    kept = dict(bench.shell.kept)
    annotate(ws.store, NAME, tags=("theirs",), notes="what they saw")
    again = made(ws, at_once)
    again.shell.on_kept(kept)
    editor = again.opened("runs").editor
    assert (editor.view.visible, editor.name, fields(again)) == (True, NAME, ("", ""))
    assert again.opened("runs").grid.widget.selection == [0]
    typed(again, tags="", notes="what I saw")
    assert fields(again) == ("theirs", "what they saw\n\nwhat I saw")


def test_what_a_browser_gives_back_may_be_anything(ws, at_once):
    again = made(ws, at_once)
    for text in ("", "{", "[]", '{"name": 3}'):
        again.shell._handle_msg({"kept": {"runs.editor": text, "runs.selected": "toy.gone/v5"}, "query": None})
    again.shell._handle_msg({"kept": [1]})
    assert not again.opened("runs").editor.view.visible
    assert again.opened("runs").grid.widget.selection == []


def test_where_two_change_the_same_both_texts_stand_in_the_field_and_nothing_is_lost(bench, ws):
    annotate(ws.store, NAME, tags=("theirs",), notes="what they saw")
    typed(bench, tags="mine", notes="what I saw")
    assert annotation_of(ws.store, NAME).notes == "what they saw"
    assert fields(bench) == ("theirs, mine", "what they saw\n\nwhat I saw")
    assert bench.opened("runs").editor.said.object == (
        '<p class="problem" role="alert">Somebody else changed them meanwhile. '
        "Both are here now: keep what is to stay, and save.</p>"
    )
    bench.opened("runs").editor.save.clicks += 1
    kept = annotation_of(ws.store, NAME)
    assert (kept.tags, kept.notes, kept.revision) == (("theirs", "mine"), "what they saw\n\nwhat I saw", 2)


def test_what_was_typed_and_not_saved_is_not_lost_to_another_variant(bench, ws):
    ws.store.save_variant(ws.variant("toy.sum", seed=1).value)
    bench.opened("runs").refresh.clicks += 1
    bench.opened("runs").editor.notes.value = "half a thought"
    for place in (0, 1):
        bench.opened("runs").grid.widget.selection = [place]
        bench.opened("runs").selected.annotate.clicks += 1
        assert (bench.opened("runs").editor.name, bench.opened("runs").editor.notes.value) == (NAME, "half a thought")
    assert bench.opened("runs").editor.said.object == (
        '<p class="problem" role="alert">What was typed here is not saved. '
        "Save or close it before toy.sum/v5-seed1-width16.</p>"
    )
    bench.opened("runs").editor.close.clicks += 1
    bench.opened("runs").selected.annotate.clicks += 1
    assert (bench.opened("runs").editor.name, fields(bench)) == ("toy.sum/v5-seed1-width16", ("", ""))


@pytest.fixture
def two(ws: BoundWorkspace, when_told) -> Dashboard:
    """At the runs of two variants, with the editor open for the first."""
    ws.store.save_variant(ws.variant("toy.sum", seed=1).value)
    bench = made(ws, when_told)
    when_told.go()
    opened(bench)
    when_told.go()
    assert bench.opened("runs").editor.name == NAME
    return bench


def held(bench: Dashboard) -> bool:
    """Whether it says that it waits; its fields never do, which a browser may not hear the end of."""
    editor = bench.opened("runs").editor
    assert (editor.tags.disabled, editor.notes.disabled, editor.save.disabled) == (False, False, False)
    return "held" in editor.view.css_classes


def test_until_another_variant_is_read_nothing_is_saved_and_the_first_is_the_one_in_sight(two, ws, when_told):
    editor = two.opened("runs").editor
    editor.open(OTHER)
    assert (editor.name, editor.heading.object, held(two)) == (NAME, f"<h2>{NAME}</h2>", True)
    # Somebody may press it all the same.
    editor.save.clicks += 1
    when_told.go()
    assert (editor.name, editor.heading.object, held(two)) == (OTHER, f"<h2>{OTHER}</h2>", False)
    assert [annotation_of(ws.store, name).revision for name in (NAME, OTHER)] == [0, 0]


def test_what_is_typed_while_another_variant_is_read_stays_with_its_own(two, ws, when_told):
    editor = two.opened("runs").editor
    editor.open(OTHER)
    editor.notes.value = "of the first"
    when_told.go()
    assert (editor.name, editor.heading.object, fields(two)) == (NAME, f"<h2>{NAME}</h2>", ("", "of the first"))
    assert editor.said.object == (
        '<p class="problem" role="alert">What was typed here is not saved. '
        "Save or close it before toy.sum/v5-seed1-width16.</p>"
    )
    editor.save.clicks += 1
    when_told.go()
    assert [annotation_of(ws.store, name).notes for name in (NAME, OTHER)] == ["of the first", ""]


def test_of_two_variants_that_are_asked_for_the_later_is_shown(two, ws, when_told):
    editor = two.opened("runs").editor
    editor.open(OTHER)
    editor.open(NAME)
    when_told.waiting.reverse()
    when_told.go()
    assert (editor.name, editor.heading.object) == (NAME, f"<h2>{NAME}</h2>")


def test_what_is_typed_while_the_rest_is_saved_stays_in_its_field_and_is_saved_next(two, ws, when_told):
    editor = two.opened("runs").editor
    typed(two, tags="a", notes="one")
    assert held(two)
    editor.notes.value = "one, two"
    when_told.go()
    assert (editor.view.visible, fields(two), held(two)) == (True, ("a", "one, two"), False)
    editor.save.clicks += 1
    when_told.go()
    kept = annotation_of(ws.store, NAME)
    assert (kept.notes, kept.revision, editor.view.visible) == ("one, two", 2, False)


def test_what_is_typed_while_two_texts_are_put_together_is_among_them(two, ws, when_told):
    editor = two.opened("runs").editor
    annotate(ws.store, NAME, notes="theirs")
    typed(two, tags="", notes="mine")
    editor.open(OTHER)
    editor.notes.value = "mine, too"
    when_told.go()
    assert (editor.name, fields(two)) == (NAME, ("", "theirs\n\nmine, too"))


def test_a_save_whose_answer_comes_after_it_was_closed_is_in_the_table(two, ws, when_told):
    editor = two.opened("runs").editor
    typed(two, tags="", notes="kept")
    editor.close.clicks += 1
    editor.open(OTHER)
    when_told.go()
    assert (editor.name, editor.heading.object, fields(two)) == (OTHER, f"<h2>{OTHER}</h2>", ("", ""))
    assert [row.cells.get("notes", "") for row in two.opened("runs").grid._rows] == ["kept", ""]


def test_what_cannot_be_kept_is_said_and_stays_in_its_field(bench, ws):
    typed(bench, tags="a" * 65, notes="kept")
    assert bench.opened("runs").editor.said.object.startswith(
        '<p class="problem" role="alert">The tag &#x27;aaaaaaaaaaaaaaaaaaaa…&#x27; has 65 characters.</p>'
        '<p class="problem" role="alert">A tag has at most 64, on one line.</p>'
    )
    assert (fields(bench), annotation_of(ws.store, NAME).revision) == (("a" * 65, "kept"), 0)


def test_a_file_that_cannot_be_read_is_said_to_be_and_is_not_written_over(ws, at_once):
    annotate(ws.store, NAME, notes="there")
    path = ws.store.layout.annotations(NAME) / "000001.json"
    path.write_text("{")
    bench = opened(made(ws, at_once))
    said = bench.opened("runs").editor.said.object
    assert said.startswith(f'<p class="problem" role="alert">{path} cannot be read.</p>')
    assert bench.opened("runs").editor.save.disabled


def test_a_server_that_only_shows_shows_them_and_keeps_nothing(ws, at_once):
    annotate(ws.store, NAME, notes="there")
    bench = opened(Dashboard(server_context(ws.value, at_once, read_only=True), "page=runs"))
    assert (fields(bench), bench.opened("runs").editor.save.visible) == (("", "there"), False)
    assert (bench.opened("runs").editor.tags.disabled, bench.opened("runs").editor.notes.disabled) == (True, True)
    # A browser may say that a button was pressed which it was not given.
    typed(bench, tags="a", notes="b")
    assert annotation_of(ws.store, NAME).notes == "there"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a**", "<p><strong>a</strong></p>\n"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>\n"),
        ("![a](http://elsewhere/b.png)", '<p>!<a href="http://elsewhere/b.png">a</a></p>\n'),
    ],
)
def test_markdown_runs_nothing_and_fetches_nothing(text, html):
    assert rendered(text) == html


READ = Annotation(tags=("a", "b"), notes="old", revision=1)


@pytest.mark.parametrize(
    ("mine", "theirs", "tags", "notes"),
    [
        (Annotation(tags=("a", "b"), notes="new"), Annotation(tags=("a",), notes="old"), ("a",), "new"),
        (Annotation(tags=("a", "c"), notes="old"), Annotation(tags=("a", "b", "d"), notes="x"), ("a", "d", "c"), "x"),
        (Annotation(tags=("a", "b"), notes="same"), Annotation(tags=("a", "b"), notes="same"), ("a", "b"), "same"),
        (Annotation(notes=""), Annotation(notes="x"), (), "x"),
        (Annotation(notes="y"), Annotation(notes=""), (), "y"),
    ],
)
def test_what_each_changed_of_what_both_read_is_in_what_becomes_of_it(mine, theirs, tags, notes):
    found = merged(READ, mine, theirs)
    assert (found.tags, found.notes) == (tags, notes)
