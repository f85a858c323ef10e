"""Saved views of the table on the page: kept, chosen, replaced at a second press, removed."""

from __future__ import annotations

from concurrent.futures import Executor
from functools import partial
from unittest import mock

import pytest

from miscope.bound import BoundWorkspace
from miscope.runs.run_queue import RunQueue
from miscope.tabulating.asked import TableAsked
from miscope.tabulating.saved_views import SavedView, known_views, save_view
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.shown.table_address import asked_in

SEED_ONE = "find=seed%3D1&sort=seed:desc"


@pytest.fixture
def ws(empty: BoundWorkspace) -> BoundWorkspace:
    """With two variants, which were never trained."""
    for seed in (0, 1):
        empty.store.save_variant(empty.variant("toy.sum", seed=seed).value)
    return empty


def opened(ws: BoundWorkspace, pool: Executor, query: str = "page=runs") -> Dashboard:
    """A page on which things may be changed."""
    server = server_context(ws.value, pool, queue=RunQueue(ws.root), summon=lambda: None)
    return Dashboard(server, query)


def saved(bench: Dashboard, name: str) -> None:
    bench.opened("runs").views.name.value = name
    bench.opened("runs").views.save.clicks += 1


def queries(ws: BoundWorkspace) -> dict[str, str]:
    return {view.name: view.query for view in known_views(ws.store.layout).views}


def test_what_is_looked_at_is_kept_under_a_name_and_asked_again_by_it(ws, at_once):
    bench = opened(ws, at_once, f"page=runs&{SEED_ONE}")
    saved(bench, " Seed one ")
    assert queries(ws) == {"Seed one": SEED_ONE}
    views = bench.opened("runs").views
    assert (views.choice.value, views.name.value, views.remove.visible) == ("Seed one", "", True)
    another = opened(ws, at_once)
    assert (another.opened("runs").views.choice.value, another.opened("runs").views.remove.visible) == ("", False)
    another.opened("runs").views.choice.value = "Seed one"
    assert another.selection.place.table == asked_in(SEED_ONE)
    assert len(another.opened("runs").grid._rows) == 1
    another.opened("runs").views.choice.value = ""
    assert (another.selection.place.table, len(another.opened("runs").grid._rows)) == (TableAsked(), 2)


def test_a_view_that_is_changed_is_no_longer_the_saved_one(ws, at_once):
    save_view(ws.store.layout, SavedView(name="Seed one", query=SEED_ONE))
    bench = opened(ws, at_once, f"page=runs&{SEED_ONE}")
    assert bench.opened("runs").views.choice.value == "Seed one"
    bench.opened("runs").controls.find.value = "seed=0"
    assert (bench.opened("runs").views.choice.value, bench.opened("runs").views.remove.visible) == ("", False)


def test_a_name_that_is_taken_is_given_at_a_second_press(ws, at_once):
    save_view(ws.store.layout, SavedView(name="Mine", query="sort=seed"))
    bench = opened(ws, at_once, f"page=runs&{SEED_ONE}")
    saved(bench, "Mine")
    assert queries(ws) == {"Mine": "sort=seed"}
    assert bench.opened("runs").views.said.object == (
        '<p class="problem" role="alert">There is a view named &#x27;Mine&#x27; already: press again to replace it.</p>'
    )
    bench.opened("runs").views.save.clicks += 1
    assert (queries(ws), bench.opened("runs").views.said.object) == ({"Mine": SEED_ONE}, "")


def test_a_view_that_asks_nothing_is_not_kept(ws, at_once):
    bench = opened(ws, at_once)
    saved(bench, "All")
    assert (queries(ws), bench.opened("runs").views.said.object) == (
        {},
        '<p class="problem" role="alert">It would show what is shown without it.</p>',
    )


def test_a_removed_view_is_gone_and_what_it_asked_stays_in_sight(ws, at_once):
    save_view(ws.store.layout, SavedView(name="Seed one", query=SEED_ONE))
    bench = opened(ws, at_once, f"page=runs&{SEED_ONE}")
    bench.opened("runs").views.remove.clicks += 1
    assert queries(ws) == {}
    assert ([*bench.opened("runs").views.choice.options], bench.opened("runs").views.remove.visible) == (["–"], False)
    assert len(bench.opened("runs").grid._rows) == 1


def test_a_name_that_is_none_is_refused_and_a_broken_file_is_named(ws, at_once):
    bench = opened(ws, at_once)
    views, asked = bench.opened("runs").views, []
    with mock.patch.object(views.name, "focus", partial(asked.append, "focus")):
        saved(bench, "  ")
    assert (views.said.object, asked) == (
        '<p class="problem" role="alert">Type a name for the view first.</p>',
        ["focus"],
    )
    ws.store.layout.table_views.mkdir(parents=True)
    path = ws.store.layout.table_views / "0.json"
    path.write_text("{")
    bench.opened("runs").refresh.clicks += 1
    said = bench.opened("runs").views.said.object
    assert said.startswith(f'<p class="problem" role="alert">{path} cannot be read.</p>')


def test_a_page_that_only_shows_lists_them_and_changes_none(ws, at_once):
    save_view(ws.store.layout, SavedView(name="Seed one", query=SEED_ONE))
    bench = Dashboard(server_context(ws.value, at_once, read_only=True), f"page=runs&{SEED_ONE}")
    views = bench.opened("runs").views
    assert (views.choice.value, views.save.visible, views.name.visible, views.remove.visible) == (
        *("Seed one", False),
        *(False, False),
    )
    # A browser may say that a button was pressed which it was not given.
    saved(bench, "Another")
    views.remove.clicks += 1
    assert queries(ws) == {"Seed one": SEED_ONE}
