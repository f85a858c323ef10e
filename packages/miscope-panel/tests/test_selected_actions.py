"""What is done with selected variants: analyzed through the queue, moved to the trash and back, taken as files."""

from __future__ import annotations

from concurrent.futures import Executor
from contextlib import closing

import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.bound import BoundWorkspace
from miscope.runs.run_queue import RunQueue
from miscope.store.trash import delete, deleted
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context

FIRST, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"


@pytest.fixture
def ws(empty: BoundWorkspace) -> BoundWorkspace:
    """With two variants, of which the one of seed 0 was trained last and is the one to open on."""
    for seed in (1, 0):
        list(empty.variant("toy.sum", seed=seed).train(steps=1, threads=1))
    return empty


@pytest.fixture
def queue(ws: BoundWorkspace):
    with closing(RunQueue(ws.root)) as made:
        yield made


@pytest.fixture
def summoned() -> list[int]:
    """A number for each time that somebody was called to work through the queue."""
    return []


@pytest.fixture
def bench(ws: BoundWorkspace, at_once: Executor, queue: RunQueue, summoned: list[int]) -> Dashboard:
    server = server_context(ws.value, at_once, queue=queue, summon=lambda: summoned.append(len(queue.runs())))
    return Dashboard(server, "page=runs&sort=seed")


def select(bench: Dashboard, *places: int) -> None:
    bench.opened("runs").grid.widget.selection = [*places]


def said(bench: Dashboard) -> str:
    return bench.opened("runs").selected.said.object


def shown(bench: Dashboard) -> list[str]:
    return [name for row in bench.opened("runs").grid._rows for name in row.variants]


def test_what_needs_a_selection_is_offered_with_one(bench):
    one = bench.opened("runs").selected
    assert (one.analyze.disabled, one.delete.disabled, one.files.names) == (True, True, [])
    select(bench, 0, 1)
    assert (one.analyze.disabled, one.delete.disabled, one.files.names) == (False, False, [FIRST, OTHER])
    assert (one.delete.label, one.compare.label, one.open.disabled) == ("Delete 2", "Compare 2", True)


def test_what_is_missing_is_computed_by_one_run_in_the_queue_however_often_it_is_asked_for(bench, queue, summoned, ws):
    select(bench, 0, 1)
    bench.opened("runs").selected.analyze.clicks += 1
    bench.opened("runs").selected.analyze.clicks += 1
    (run,) = queue.runs()
    assert run.request == AnalyzeRequest(variants=(FIRST, OTHER))
    assert summoned == [1, 1]
    assert said(bench) == (
        f'<p class="told" role="status">Run 1 computes what is missing of {FIRST}, {OTHER}.  To follow it:  '
        f"miscope runs watch 1 --workspace {ws.root}</p>"
    )


def test_what_is_deleted_goes_into_the_trash_and_comes_back_with_a_click(bench, ws):
    select(bench, 1)
    bench.opened("runs").selected.delete.clicks += 1
    assert [each.name for each in deleted(ws.store)] == [OTHER]
    assert (shown(bench), bench.opened("runs").selected.undo.visible) == ([FIRST], True)
    assert said(bench) == f'<p class="told" role="status">In the trash: {OTHER}.</p>'
    bench.opened("runs").selected.undo.clicks += 1
    assert (deleted(ws.store), sorted(shown(bench))) == ([], [FIRST, OTHER])
    assert (said(bench), bench.opened("runs").selected.undo.visible) == (
        '<p class="told" role="status">Back.</p>',
        False,
    )


def test_the_workbench_knows_which_variants_were_deleted_and_brought_back(bench):
    select(bench, 1)
    for button, there in (("delete", [FIRST]), ("undo", [FIRST, OTHER])):
        bench.selection.move(page="runs")
        getattr(bench.opened("runs").selected, button).clicks += 1
        bench.selection.move(page="views")
        assert bench.workbench.sidebar.variant.options == there


def test_where_the_variant_of_the_workbench_is_deleted_it_goes_on_to_another(bench):
    for page in ("views", "runs"):
        bench.selection.move(page=page)
    assert bench.selection.place.variant == FIRST
    select(bench, 0)
    bench.opened("runs").selected.delete.clicks += 1
    assert (bench.selection.place.variant, bench.selection.place.page) == ("", "runs")
    bench.selection.move(page="views")
    assert bench.selection.place.variant == OTHER
    assert bench.workbench.sidebar.variant.value == OTHER


def test_one_that_a_run_is_to_work_on_stays_and_it_is_said_why(bench, queue, ws):
    queue.submit(AnalyzeRequest(variants=(FIRST,)), what=FIRST)
    select(bench, 0, 1)
    bench.opened("runs").selected.delete.clicks += 1
    assert shown(bench) == [FIRST]
    lines = said(bench).split("</p>")
    assert lines[0] == f'<p class="problem" role="alert">{FIRST} cannot be deleted.'
    assert lines[1] == '<p class="problem" role="alert">These runs are to work on it: 1.'
    todo = "Stop or cancel them first, on the page Jobs or by number:  miscope runs list --workspace"
    assert lines[2].startswith(f'<p class="problem" role="alert">{todo} ')
    assert lines[-2] == f'<p class="told" role="status">In the trash: {OTHER}.'


def test_what_cannot_come_back_is_said_with_the_reason(bench, ws):
    select(bench, 1)
    bench.opened("runs").selected.delete.clicks += 1
    list(ws.variant("toy.sum", seed=1).train(steps=1, threads=1))
    bench.opened("runs").selected.undo.clicks += 1
    assert said(bench).startswith(f'<p class="problem" role="alert">{OTHER} cannot be put back.</p>')


def test_what_could_never_be_analyzed_is_refused_in_words(bench, queue, ws):
    select(bench, 1)
    delete(ws.store, OTHER)
    bench.opened("runs").selected.analyze.clicks += 1
    assert queue.runs() == []
    assert said(bench).startswith('<p class="problem" role="alert">There is no variant named ')


def test_a_page_that_only_shows_offers_no_change_and_makes_none(ws, at_once, queue):
    bench = Dashboard(server_context(ws.value, at_once, read_only=True), "page=runs&sort=seed")
    select(bench, 0, 1)
    one = bench.opened("runs").selected
    assert (one.analyze.visible, one.delete.visible, one.compare.visible, one.files.visible) == (
        *(False, False),
        *(True, True),
    )
    # A browser may say that a button was pressed which it was not given.
    for button in (one.analyze, one.delete, one.undo):
        button.clicks += 1
    assert (queue.runs(), deleted(ws.store), len(shown(bench))) == ([], [], 2)
