"""Rows of the table that say what they do by now, where they stand, while somebody looks at them."""

from __future__ import annotations

from concurrent.futures import Executor

import pytest

from miscope.bound import BoundWorkspace
from miscope.store.annotation_files import annotate
from miscope.tabulating.showing import ShownTable
from miscope.tabulating.variant_table import Row
from miscope_panel.page import runs_page
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.live_rows import in_their_places
from miscope_panel.page.notes_watch import NotesWatch
from miscope_panel.page.pages import server_context
from miscope_panel.page.run_watch import Heard
from miscope_panel.page.variant_grid import PAGE_ROWS

NAMES = [f"toy.sum/v5-seed{seed}-width16" for seed in range(3)]


@pytest.fixture
def ws(empty: BoundWorkspace) -> BoundWorkspace:
    for seed in range(2):
        empty.store.save_variant(empty.variant("toy.sum", seed=seed).value)
    return empty


@pytest.fixture
def bench(ws: BoundWorkspace, at_once: Executor) -> Dashboard:
    return Dashboard(server_context(ws.value, at_once), "page=runs&columns=variant,tags&sort=tags")


def shown(bench: Dashboard) -> list[tuple[str, str]]:
    page = bench.opened("runs")
    frame = page.grid.widget.value
    return [(row.variants[0], tags) for row, tags in zip(page.grid._rows, frame["c:tags"], strict=True)]


def happens(bench: Dashboard) -> None:
    bench.opened("runs").live.hear(Heard(moved=True))


def test_an_unfolded_group_stays_so_and_its_variants_in_their_places_while_runs_go_on(ws, at_once):
    query = "page=runs&columns=variant,tags&group=width&sort=tags&runs:unfolded=16"
    bench = Dashboard(server_context(ws.value, at_once), query)
    before = [name for name, _ in shown(bench)]
    assert len(before) == 3
    annotate(ws.store, before[2], tags=("ape",), notes="")
    happens(bench)
    # In the order that is asked for it would come before the other.
    assert shown(bench) == [(before[0], ""), (before[1], ""), (before[2], "ape")]


def test_a_row_says_what_is_new_where_it_stands_and_stays_selected(bench, ws):
    page = bench.opened("runs")
    first = page.grid.on_this_page()[0].variants[0]
    other = next(name for name in NAMES if name != first)
    page.grid.widget.selection = [0]
    table = page.grid.widget
    annotate(ws.store, first, tags=("zebra",), notes="")
    annotate(ws.store, other, tags=("ape",), notes="")
    happens(bench)
    # In the order that is asked for they would change places.
    assert shown(bench) == [(first, "zebra"), (other, "ape")]
    assert (page.grid.widget is table, page.grid.selected, table.selection) == (True, (first,), [0])
    page.refresh.clicks += 1
    assert [name for name, _ in shown(bench)] == [other, first]


def test_what_others_note_of_a_variant_is_in_its_row_without_a_run(bench, ws):
    annotate(ws.store, NAMES[1], tags=("theirs",), notes="")
    bench.opened("runs").live.hear(Heard(noted=frozenset({NAMES[1]})))
    assert dict(shown(bench))[NAMES[1]] == "theirs"


def test_it_is_known_of_which_variants_something_was_written_since(ws):
    watch = NotesWatch(ws.store, every=0)
    annotate(ws.store, NAMES[0], tags=("old",), notes="")
    assert watch.look() == frozenset()
    annotate(ws.store, NAMES[1], tags=("new",), notes="")
    assert (watch.look(), watch.look()) == ({NAMES[1]}, frozenset())


def test_a_new_variant_comes_last_and_the_rest_stays(bench, ws):
    before = [name for name, _ in shown(bench)]
    bench.opened("runs").grid.widget.selection = [1]
    ws.store.save_variant(ws.variant("toy.sum", seed=2).value)
    happens(bench)
    assert [name for name, _ in shown(bench)] == [*before, NAMES[2]]
    assert bench.opened("runs").grid.selected == (before[1],)
    assert "3 variants" in bench.opened("runs").said.object


def test_nothing_is_read_while_another_page_is_looked_at_or_none_is(bench, ws):
    page, (first, _) = bench.opened("runs"), [name for name, _ in shown(bench)]
    annotate(ws.store, first, tags=("zebra",), notes="")
    page.keys.in_sight = False
    happens(bench)
    assert dict(shown(bench))[first] == ""
    page.keys.in_sight = True
    bench.selection.move(page="jobs")
    happens(bench)
    assert dict(shown(bench))[first] == ""


def test_what_happens_while_the_rows_are_read_is_read_after_that(ws, when_told):
    bench = Dashboard(server_context(ws.value, when_told), "page=runs&columns=variant,tags&sort=seed")
    when_told.go()
    for _ in range(3):
        happens(bench)
    (reading,) = when_told.waiting
    when_told.waiting.clear()
    reading()
    annotate(ws.store, NAMES[0], tags=("zebra",), notes="")
    assert dict(shown(bench))[NAMES[0]] == ""
    assert len(when_told.waiting) == 1
    when_told.go()
    assert dict(shown(bench))[NAMES[0]] == "zebra"


def test_a_reading_that_fails_ends_and_the_next_event_is_heard(bench, ws, monkeypatch):
    def broken(*arguments):
        raise OSError("no such disk")

    with monkeypatch.context() as patched:
        patched.setattr(runs_page, "answer", broken)
        happens(bench)
    annotate(ws.store, NAMES[0], tags=("zebra",), notes="")
    happens(bench)
    assert dict(shown(bench))[NAMES[0]] == "zebra"


def test_rows_that_cannot_be_read_at_all_are_said_to_be_so(bench, monkeypatch):
    def broken(*arguments):
        raise OSError("no such disk")

    monkeypatch.setattr(runs_page, "answer", broken)
    bench.opened("runs").look_again()
    assert "OSError: no such disk" in bench.opened("runs").said.object


def test_a_reading_begun_before_something_was_saved_is_not_shown_after_it(ws, when_told, monkeypatch):
    bench = Dashboard(server_context(ws.value, when_told), "page=runs&columns=variant,tags&sort=seed")
    when_told.go()
    found = bench.opened("runs")._found
    page, renew = bench.opened("runs"), runs_page.RunsPage._renew

    def late(self, *arguments):
        annotate(ws.store, NAMES[0], tags=("zebra",), notes="")
        self.look_again()
        renew(self, *arguments)

    monkeypatch.setattr(runs_page.RunsPage, "_renew", late)
    page.live.hear(Heard(moved=True))
    when_told.waiting.pop(0)()
    # The answer to what was asked after the save is still to come.
    assert page._found is found
    when_told.go()
    assert dict(shown(bench))[NAMES[0]] == "zebra"


def test_what_happens_while_a_question_is_answered_is_read_after_that(ws, when_told):
    bench = Dashboard(server_context(ws.value, when_told), "page=runs&columns=variant,tags&sort=seed")
    when_told.go()
    page = bench.opened("runs")
    page.look_again()
    happens(bench)
    answering = [*when_told.waiting]
    when_told.waiting.clear()
    for each in answering:
        each()
    annotate(ws.store, NAMES[0], tags=("zebra",), notes="")
    when_told.go()
    assert dict(shown(bench))[NAMES[0]] == "zebra"


def test_lines_over_parallel_axes_go_on_with_the_rows(bench, ws):
    page = bench.opened("runs")
    revision = page.parallel.view.revision
    annotate(ws.store, NAMES[0], tags=("zebra",), notes="")
    happens(bench)
    assert page.parallel.view.revision == revision + 1


def test_rows_that_are_gone_are_left_out_and_the_order_is_that_of_before():
    def table(*names: str) -> ShownTable:
        return ShownTable(rows=tuple(Row(variants=(name,), cells={}) for name in names), matched=len(names))

    found = in_their_places(table("b", "c", "a"), table("a", "b", "d"))
    assert [row.variants for row in found.rows] == [("b",), ("a",), ("d",)]
    assert found.matched == 3


def test_rows_of_a_page_further_down_are_renewed_too(empty, at_once):
    for seed in range(PAGE_ROWS + 2):
        empty.store.save_variant(empty.variant("toy.sum", seed=seed).value)
    bench = Dashboard(server_context(empty.value, at_once), "page=runs&columns=variant,tags&sort=seed")
    grid = bench.opened("runs").grid
    grid.widget.page = 2
    last = grid._rows[-1].variants[0]
    first = grid._rows[0].variants[0]
    for name in (first, last):
        annotate(empty.store, name, tags=("zebra",), notes="")
    happens(bench)
    assert (grid.widget.page, dict(shown(bench))[last], dict(shown(bench))[first]) == (2, "zebra", "zebra")
    empty.store.save_variant(empty.variant("toy.sum", seed=PAGE_ROWS + 2).value)
    happens(bench)
    assert (grid.widget.page, len(shown(bench))) == (2, PAGE_ROWS + 3)
