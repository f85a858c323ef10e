"""Which analyses there are of which variants: a row of cells for each, and what is queued of a rectangle."""

from __future__ import annotations

import types
from functools import partial
from queue import Queue

import numpy as np
import pytest

from miscope import Analyzer, Grain, Needs, hookimpl
from miscope.analyze_request import AnalyzeRequest
from miscope.bound import open_bound
from miscope.errors import DoesNotApply
from miscope.runs.queued_run import Reached
from miscope.runs.run_state import RunState
from miscope.runs.submitting import submit
from miscope.store.process_identity import this_process
from miscope.testing import tables
from miscope_panel.page import analyses_part
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.job_actions import READ_ONLY
from miscope_panel.page.pages import server_context
from miscope_panel.shown.analyses_wanted import requests_for
from miscope_panel.shown.analysis_cells import AnalysisCell, analysis_row, analyzer_names
from miscope_panel.shown.run_configuration import configuration

LONG = 60
FRESH, STALE, MISSING = "parameters.norms", "ranks.weights", "behaviour.metrics"


def divides(snapshot):
    """Fails wherever it looks."""
    raise ZeroDivisionError("division by zero")


def offered():
    import types

    sour = types.ModuleType("sour")
    fields = {"version": 1, "grain": Grain.CHECKPOINT, "compute": divides}
    sour.miscope_analyzers = hookimpl(
        lambda: [
            Analyzer(name="sour.fails", needs=Needs(), **fields),
            Analyzer(name="sour.elsewhere", needs=Needs(weights=("no_such_weight",)), **fields),
        ]
    )
    return sour


@pytest.fixture
def workspace(tmp_path):
    """A variant with one analyzer whole, one of two of three checkpoints, one that failed, the others not computed."""
    found = open_bound(tmp_path / "ws", tables(sour=offered()))
    variant = found.variant("toy.sum", seed=0)
    list(variant.train(steps=20, threads=1))
    variant.analyze(FRESH)
    variant.analyze(STALE, steps=[0, 10])
    assert len(variant.analyze("sour.fails", steps=[0])) > 0
    return found.value


NAME = "toy.sum/v5-seed0-width16"


def test_a_row_says_of_each_analyzer_what_there_is(workspace):
    row = analysis_row(workspace, NAME, [])
    assert (row.variant, row.problem, tuple(row.cells)) == (NAME, "", analyzer_names(workspace))
    assert row.cells[FRESH] == AnalysisCell(state="fresh")
    assert row.cells[STALE] == AnalysisCell(state="stale", note="1 of 3 checkpoints are missing")
    assert row.cells[MISSING].state == "missing"
    assert row.cells["sour.fails"] == AnalysisCell(state="failed", note="ZeroDivisionError: division by zero")
    assert row.cells["sour.elsewhere"].state == "inapplicable"
    assert "no_such_weight" in row.cells["sour.elsewhere"].note


def test_what_spans_the_training_is_out_of_date_once_there_are_more_checkpoints(workspace):
    name = next(
        name for name, cell in analysis_row(workspace, NAME, []).cells.items()
        if cell.state == "missing" and workspace.plugins.analyzers[name].grain is Grain.TRAJECTORY
        and not workspace.plugins.analyzers[name].needs.reads
    )  # fmt: skip
    variant = open_bound(workspace.root, workspace.plugins).find(NAME)
    variant.analyze(name)
    assert analysis_row(workspace, NAME, []).cells[name].state == "fresh"
    list(variant.train(steps=30, threads=1))
    again = open_bound(workspace.root, workspace.plugins).value
    assert analysis_row(again, NAME, []).cells[name].state == "stale"
    assert analysis_row(again, NAME, []).cells[FRESH].state == "stale"


def refuses(seen, steps):
    """Applies at none of these steps, or where there are none not at all."""
    if not steps or seen.step in steps:
        raise DoesNotApply("it has no such heads")
    return {"n": np.array(1)}


def never(history):
    """Applies to no training."""
    raise DoesNotApply("it has no such heads")


def test_what_said_that_it_does_not_apply_is_not_taken_for_computed(tmp_path):
    plug = types.ModuleType("picky")
    at_each = {"version": 1, "grain": Grain.CHECKPOINT}
    plug.miscope_analyzers = hookimpl(
        lambda: [
            Analyzer(name="picky.nowhere", compute=partial(refuses, steps=()), **at_each),
            Analyzer(name="picky.later", compute=partial(refuses, steps=(0,)), **at_each),
            Analyzer(name="picky.training", version=1, grain=Grain.TRAJECTORY, compute=never),
        ]
    )
    found = open_bound(tmp_path / "ws", tables(picky=plug))
    variant = found.variant("toy.sum", seed=0)
    list(variant.train(steps=20, threads=1))
    variant.analyze("picky.nowhere", "picky.later", "picky.training")
    cells = analysis_row(found.value, NAME, []).cells
    apart = AnalysisCell(state="inapplicable", note="it has no such heads", tried=True)
    assert (cells["picky.nowhere"], cells["picky.training"]) == (apart, apart)
    note = "does not apply at 1 of 3 checkpoints: it has no such heads"
    assert cells["picky.later"] == AnalysisCell(state="fresh", note=note)


def test_what_is_under_way_or_waits_its_turn_is_said(workspace):
    server = server_context(workspace, None)
    (request,) = requests_for({NAME: [MISSING]})
    number = submit(workspace, server.queue, request).id

    def cell(name):
        return analysis_row(workspace, NAME, server.queue.runs()[:1]).cells[name]

    assert cell(MISSING) == AnalysisCell(state="queued", note="run 1")
    server.queue.claim(number, this_process())
    server.queue.reach(number, Reached(done=1, total=3))
    assert cell(MISSING) == AnalysisCell(state="running", note="run 1, 33 % done")
    assert cell(FRESH) == AnalysisCell(state="fresh")


def test_a_variant_that_cannot_be_opened_says_why(workspace):
    row = analysis_row(workspace, "toy.sum/nowhere", [])
    assert (row.cells, row.problem) == ({}, "There is no variant named 'toy.sum/nowhere'.")


def test_variants_that_lack_the_same_are_asked_for_together():
    requests = requests_for({"a/1": ["x", "y"], "a/2": ["y", "x"], "a/3": ["x"], "a/4": []})
    assert [(each.variants, each.analyzers) for each in requests] == [
        (("a/1", "a/2"), ("x", "y")),
        (("a/3",), ("x",)),
    ]


@pytest.fixture
def looking(workspace, at_once):
    made = []

    def at(**more):
        summoned = []
        server = server_context(workspace, at_once, summon=lambda: summoned.append(1), **more)
        rows = Queue()
        dashboard = Dashboard(server, "page=runs")
        part = dashboard.opened("jobs").analyses
        part.grid.param.watch(lambda event: rows.put(event.new), "row")
        dashboard.selection.place = dashboard.selection.place.turn("jobs", "part", "analyses")
        dashboard.selection.move(page="jobs")
        made.append(dashboard)
        return server, part, rows, summoned

    yield at
    for dashboard in made:
        dashboard.selection.move(page="installed")


def test_a_rectangle_of_cells_becomes_runs_of_the_queue_and_its_rows_are_read_again(looking):
    server, part, rows, summoned = looking()
    first = rows.get(timeout=LONG)
    assert (first["variant"], first["cells"][FRESH]["state"]) == (NAME, "fresh")
    assert part.grid.shown["variants"] == [NAME]
    part.grid._handle_msg({"kind": "queue", "wanted": {NAME: [MISSING, STALE]}})
    said = part.grid.said
    assert (said["text"], said["is_problem"]) == ("2 analyses are in the queue, as run 1.", False)
    part.grid._handle_msg({"kind": "queue", "wanted": {NAME: [MISSING, STALE]}})
    assert part.grid.said["text"] == said["text"]
    (run,) = server.queue.runs()
    assert (run.state, run.request.variants, run.request.analyzers) == (RunState.PENDING, (NAME,), (MISSING, STALE))
    assert summoned == [1, 1]
    assert rows.get(timeout=LONG)["cells"][MISSING]["state"] == "queued"


def test_words_narrow_the_variants_and_what_nobody_could_run_is_refused(looking):
    server, part, rows, _ = looking()
    rows.get(timeout=LONG)
    part.grid._handle_msg({"kind": "page", "start": 0, "find": "seed7"})
    assert (part.grid.shown["variants"], part.grid.shown["total"]) == ([], 0)
    part.grid._handle_msg({"kind": "queue", "wanted": {NAME: [MISSING], "toy.sum/nowhere": [STALE]}})
    assert part.grid.said["text"].startswith("There is no variant named 'toy.sum/nowhere'.")
    part.grid._handle_msg({"kind": "queue", "wanted": {NAME: ["no.such"]}})
    assert part.grid.said["is_problem"]
    assert server.queue.runs() == []


def test_a_server_that_only_shows_queues_nothing(looking):
    server, part, rows, _ = looking(read_only=True)
    rows.get(timeout=LONG)
    part.grid._handle_msg({"kind": "queue", "wanted": {NAME: [MISSING]}})
    assert (part.grid.said["text"], server.queue.runs()) == (READ_ONLY, [])


def test_a_failure_is_over_once_the_same_was_computed(workspace):
    def computed(step):
        with workspace.ledger.run("analyze", NAME) as log:
            log.write("artifact", analyzer="sour.fails", recipe="r", probe=None, step=step, scalars={})
        return analysis_row(workspace, NAME, []).cells["sour.fails"].state

    assert computed(10) == "failed"
    assert computed(0) == "missing"


def test_what_a_family_raises_is_the_problem_of_its_row_alone(looking, monkeypatch):
    _, part, rows, _ = looking()
    rows.get(timeout=LONG)

    def broken(*_):
        raise ZeroDivisionError("a fault of this family")

    monkeypatch.setattr(analyses_part, "analysis_row", broken)
    part.grid._handle_msg({"kind": "page", "start": 0, "find": ""})
    row = rows.get(timeout=LONG)
    assert (row["variant"], row["problem"]) == (NAME, "ZeroDivisionError: a fault of this family")
    part.grid._handle_msg({"kind": "page", "start": 0, "find": ""})
    assert rows.get(timeout=LONG)["problem"] == row["problem"]


def test_the_command_of_an_analysis_asks_for_the_same(workspace):
    server = server_context(workspace, None)
    request = AnalyzeRequest(variants=(NAME,), analyzers=(FRESH,), executor="processes", force=True)
    texts = configuration(workspace, submit(workspace, server.queue, request)).texts
    words = f"miscope analyze {NAME} --only {FRESH} --executor processes --force --workspace {workspace.root}"
    assert texts == {"command": words}
