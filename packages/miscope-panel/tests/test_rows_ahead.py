"""The browser has all rows of the table as it is, to find among them before the server says."""

from __future__ import annotations

import json
from concurrent.futures import Executor

import pytest

from miscope.bound import BoundWorkspace
from miscope.store.annotation_files import annotate
from miscope.tabulating.asked import Order
from miscope_panel.page import rows_ahead
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.page.run_watch import Heard


@pytest.fixture
def ws(empty: BoundWorkspace) -> BoundWorkspace:
    for seed in range(3):
        empty.store.save_variant(empty.variant("toy.sum", seed=seed).value)
    return empty


@pytest.fixture
def bench(ws: BoundWorkspace, at_once: Executor) -> Dashboard:
    return Dashboard(server_context(ws.value, at_once), "page=runs&columns=variant,seed,tags")


def seeds(bench: Dashboard) -> list[str]:
    """As they are written, in the order of the rows."""
    known = json.loads(bench.opened("runs").ahead.view.known)
    assert known["count"] == 3
    return known["cells"]["c:seed"]["values"]


def test_all_rows_are_known_in_the_order_asked_for_whatever_is_found(bench):
    page = bench.opened("runs")
    assert (page.ahead.view.ready, seeds(bench)) == (True, ["0", "1", "2"])
    told = page.ahead.view.known
    page.controls.find.value = "seed=1"
    assert len(page.grid._rows) == 1
    view = page.ahead.view
    assert (view.text, view.where, view.ready, view.known) == ("seed=1", "", True, told)
    page.grid.on_order((Order(column="seed", descending=True),))
    assert seeds(bench) == ["2", "1", "0"]


def test_an_answer_is_counted_after_its_rows_are_shown(bench):
    page, shown = bench.opened("runs"), []
    page.ahead.view.param.watch(lambda event: shown.append(len(page.grid._rows)), "settled")
    page.controls.find.value = "seed=1"
    page.controls.find.value = ""
    page.controls.where.value = "seed > 0"
    assert shown == [1, 3, 2]
    assert page.ahead.view.where == "seed > 0"


def test_of_groups_and_of_very_many_rows_nothing_is_known(bench, monkeypatch):
    page = bench.opened("runs")
    page.controls.group.value = "seed"
    assert (page.ahead.view.known, page.ahead.view.ready) == ("", False)
    page.controls.group.value = "–"
    assert page.ahead.view.ready
    monkeypatch.setattr(rows_ahead, "MOST_KNOWN", 2)
    page.look_again()
    assert (page.ahead.view.known, page.ahead.view.ready) == ("", False)


def test_rows_that_have_gone_on_are_known_anew_with_the_next_answer(bench, ws):
    page = bench.opened("runs")
    seen: list[bool] = []
    page.ahead.view.param.watch(lambda event: seen.append(event.new), "ready")
    page.look_again()
    assert (page.ahead.view.ready, seen) == (True, [False, True])
    annotate(ws.store, page.grid._rows[0].variants[0], tags=("ape",), notes="")
    before = page.ahead.view.known
    page.live.hear(Heard(moved=True))
    assert (page.ahead.view.ready, page.ahead.view.known) == (False, before)
    page.controls.find.value = "ape"
    assert len(page.grid._rows) == 1
    assert page.ahead.view.ready
    assert '"ape"' in page.ahead.view.known
