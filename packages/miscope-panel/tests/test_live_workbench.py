"""The workbench while its variants are trained and analyzed: what came since is there without being asked for."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from queue import Queue

import pytest

from miscope.analyze_request import AnalyzeRequest
from miscope.bound import open_bound
from miscope.checkpoint import Checkpoint
from miscope.runs import reporter
from miscope.runs.run_state import RunState
from miscope.runs.submitting import submit
from miscope.training import checkpoint_writer, train
from miscope_panel.page import paced, run_watch
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.errands import Errands
from miscope_panel.page.folder_watch import FolderWatch
from miscope_panel.page.pages import server_context
from miscope_panel.page.run_watch import Heard
from miscope_panel.shown.files_changed import CHECKPOINTS, METRICS, FilesChanged

NAME, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"


@pytest.fixture(scope="session")
def made(tmp_path_factory, trained):
    """Two variants with checkpoints at 0, 10, 20 and 30, of which nothing was computed."""
    workspace = open_bound(tmp_path_factory.mktemp("live") / "ws", trained.plugins)
    for seed in (1, 0):
        list(workspace.variant("toy.sum", seed=seed).train(threads=1))
    return workspace


@pytest.fixture
def ws(made, tmp_path):
    shutil.copytree(made.root, tmp_path / "ws")
    return open_bound(tmp_path / "ws", made.plugins)


@pytest.fixture
def bench(ws, at_once, monkeypatch):
    """bench("views=..."): a dashboard that hears only what a test says."""
    monkeypatch.setattr(run_watch.RunWatch, "listen", lambda self, hand, take: lambda: None)
    monkeypatch.setattr(paced, "_EVERY", 0.0)
    return lambda query: Dashboard(server_context(ws.value, at_once), f"page=views&v={NAME}&{query}")


def comes(bench, *parts, name=NAME, rested=False):
    """As the watch tells of files."""
    files = {name: frozenset(parts)}
    told = FilesChanged(rested=files) if rested else FilesChanged(changed=files)
    bench.workbench.live.variants.hear(Heard(files=told))


def chips(opened):
    return opened.workbench.context_bar.view.object


def looks(opened):
    """As the watch finds what came by now, and that it is at rest."""
    opened._server.folders._rest = 0.0
    for _ in range(2):
        opened.workbench.live.variants.hear(Heard(files=opened._server.folders.look()))


def checkpoint(ws, step, name=NAME):
    """As a training leaves one."""
    last = ws.store.load_checkpoint(name, 30)
    ws.store.save_checkpoint(name, Checkpoint(step=step, weights=last.weights, metrics={}))


def test_new_records_are_drawn_by_the_cards_that_show_them_and_by_no_other(bench, ws):
    opened = bench("views=small.losses,small.neuron&e=20")
    losses, neuron = opened.workbench.board
    before, of_neuron, waited = losses.picture, neuron.picture, []
    losses.param.watch(lambda event: waited.append(event.new), "pending")
    ws.store.append_metrics(NAME, [(31, "test_loss", 0.5)])
    comes(opened, METRICS)
    assert len(losses.picture["arrays"]) == len(before["arrays"]) + 9
    assert neuron.picture is of_neuron
    # Nothing on the card says that it would be old: it never waits.
    assert waited == []
    assert "test loss 0.5" in chips(opened)


def test_what_is_drawn_as_before_is_not_sent_again(bench):
    opened = bench("views=small.losses")
    (losses,) = opened.workbench.board
    before, sent = losses.picture, []
    losses.param.watch(lambda event: sent.append(event.name), ["picture", "pending"])
    comes(opened, METRICS, rested=True)
    assert (losses.picture is before, sent) == (True, [])


def test_a_card_out_of_sight_is_drawn_once_it_is_seen(bench, ws):
    opened = bench("views=small.losses")
    (losses,) = opened.workbench.board
    losses.in_sight = False
    before = losses.picture
    ws.store.append_metrics(NAME, [(31, "test_loss", 0.5)])
    comes(opened, METRICS)
    assert losses.picture is before
    losses.in_sight = True
    assert losses.picture is not before


def test_what_is_drawn_while_records_come_is_shown_and_then_drawn_once_more(ws, when_told, monkeypatch):
    monkeypatch.setattr(run_watch.RunWatch, "listen", lambda self, hand, take: lambda: None)
    opened = Dashboard(server_context(ws.value, when_told), f"page=views&v={NAME}&views=small.losses")
    (losses,) = opened.workbench.board
    seen = []
    losses.param.watch(lambda event: seen.append(len(event.new["arrays"])), "picture")
    losses.renew()
    losses.renew()
    waiting, when_told.waiting = when_told.waiting, []
    for each in waiting:
        each()
    assert len(seen) == 1
    ws.store.append_metrics(NAME, [(31, "test_loss", 0.5)])
    when_told.go()
    assert seen[1:] == [seen[0] + 9]


def test_records_that_come_while_a_card_rests_are_drawn_without_others_after_them(bench, ws, monkeypatch):
    later = []
    monkeypatch.setattr(Errands, "later", lambda errands, seconds, then: later.append(then))
    opened = bench("views=small.losses")
    (losses,) = opened.workbench.board
    comes(opened, METRICS)
    before = losses.picture
    with monkeypatch.context() as resting:
        resting.setattr(paced, "_EVERY", 3600.0)
        ws.store.append_metrics(NAME, [(31, "test_loss", 0.5)])
        comes(opened, METRICS)
        assert losses.picture is before
        assert len(later) == 1
    while later:
        later.pop()()
    assert len(losses.picture["arrays"]) == len(before["arrays"]) + 9


def test_new_checkpoints_are_steps_of_the_cursor_which_stays_where_it_is(bench, ws):
    opened = bench("views=small.neuron&e=30")
    cursor, (neuron,) = opened.workbench.cursor, opened.workbench.board
    before = neuron.picture
    checkpoint(ws, 40)
    comes(opened, CHECKPOINTS)
    assert (cursor.steps, cursor.asked, opened.selection.place.step) == ([0, 10, 20, 30, 40], 30, 30)
    assert (neuron.picture is before, neuron.picture["badge"]) == (True, "epoch 30")
    cursor.asked = 40
    assert neuron.picture["badge"] == "epoch 40"


def test_a_card_that_lacked_its_checkpoint_is_drawn_when_it_comes(bench, ws):
    kept = ws.store.load_checkpoint(NAME, 30)
    shutil.rmtree(ws.store.layout.checkpoints(NAME))
    opened = bench("views=small.neuron")
    (neuron,) = opened.workbench.board
    assert (neuron.picture["state"] != "figure", opened.workbench.cursor.steps) == (True, [])
    ws.store.save_checkpoint(NAME, kept)
    comes(opened, CHECKPOINTS)
    assert (neuron.picture["state"], opened.workbench.cursor.steps) == ("figure", [30])
    assert opened.workbench.cursor.css_classes == []


def test_what_was_analyzed_elsewhere_is_drawn_and_counted_and_no_longer_greyed(bench, ws):
    opened = bench("views=small.norms&e=30")
    (norms,) = opened.workbench.board
    states = lambda: {each["name"]: each["state"] for each in opened.workbench.sidebar.catalogue.views}  # noqa: E731
    assert (norms.picture["state"], states()["small.norms"]) == ("missing", "missing")
    ws.find(NAME).analyze("parameters.norms")
    comes(opened, "parameters.norms")
    assert (norms.picture["state"], states()["small.norms"]) == ("figure", "")
    assert "1 of 1 analyses" in chips(opened)


def test_a_card_counts_anew_what_it_lacks_when_there_are_other_checkpoints(bench, ws):
    opened = bench("views=small.norms&e=30")
    (norms,) = opened.workbench.board
    assert norms.computing["words"] == "4 checkpoints"
    checkpoint(ws, 40)
    comes(opened, CHECKPOINTS, name=OTHER)
    assert norms.computing["words"] == "4 checkpoints"
    comes(opened, CHECKPOINTS)
    assert norms.computing["words"] == "5 checkpoints"
    ws.find(NAME).analyze("parameters.norms", steps=[0, 10])
    comes(opened, "parameters.norms", rested=True)
    assert norms.computing["words"].startswith("3 checkpoints")


def test_a_card_of_a_step_stays_as_it_is_while_other_steps_are_analyzed(bench, ws):
    ws.find(NAME).analyze("parameters.norms", steps=[0])
    opened = bench("views=small.norms&e=0")
    (norms,) = opened.workbench.board
    drawn = []
    norms._make = lambda *asked: drawn.append(asked)
    comes(opened, "parameters.norms")
    assert drawn == []
    comes(opened, "parameters.norms", rested=True)
    assert len(drawn) >= 1


def test_a_detected_event_is_marked_on_the_cursor(bench, monkeypatch):
    opened = bench("views=small.losses")
    found = {"memorised": 10.0}
    monkeypatch.setattr("miscope_panel.shown.training_stages.events_of", lambda workspace, variant: found)
    comes(opened, "events.grokking")
    assert opened.workbench.cursor.events == found


def test_a_compared_variant_that_trains_is_drawn_and_one_that_is_not_shown_is_not(bench, ws):
    opened = bench(f"v={OTHER}&views=small.compared")
    (card,) = opened.workbench.board
    before = card.picture
    ws.store.append_metrics(OTHER, [(31, "test_loss", 0.5)])
    comes(opened, METRICS, name="toy.sum/v5-seed9-width16")
    assert card.picture is before
    comes(opened, METRICS, name=OTHER)
    assert card.picture is not before


def test_what_comes_while_another_page_is_looked_at_is_there_on_return(bench, ws):
    opened = bench("views=small.losses")
    (losses,) = opened.workbench.board
    looks(opened)
    before = losses.picture
    opened.selection.move(page="jobs")
    ws.store.append_metrics(NAME, [(31, "test_loss", 0.5)])
    checkpoint(ws, 40)
    for folder in (ws.store.layout.metrics(NAME), ws.store.layout.checkpoints(NAME)):
        os.utime(folder, (1, 1))
    looks(opened)
    assert (losses.picture is before, opened.workbench.cursor.steps) == (True, [0, 10, 20, 30])
    opened.selection.move(page="views")
    looks(opened)
    assert (losses.picture is before, opened.workbench.cursor.steps) == (False, [0, 10, 20, 30, 40])
    assert "test loss 0.5" in chips(opened)
    again = losses.picture
    opened.selection.move(page="jobs")
    opened.selection.move(page="views")
    looks(opened)
    assert losses.picture is again


def test_what_is_told_as_the_page_is_left_is_there_on_return(bench, ws):
    opened = bench("views=small.losses")
    (losses,) = opened.workbench.board
    looks(opened)
    before = losses.picture
    ws.store.append_metrics(NAME, [(31, "test_loss", 0.5)])
    os.utime(ws.store.layout.metrics(NAME), (1, 1))
    told = [opened._server.folders.look() for _ in range(2)]
    opened.selection.move(page="jobs")
    opened.workbench.live.variants.hear(Heard(files=told[1]))
    opened.selection.move(page="views")
    looks(opened)
    assert losses.picture is not before


def test_what_is_watched_may_become_other_variants_before_all_is_told(bench, ws):
    opened = bench("views=small.losses")
    opened._server.folders.look()
    ws.store.append_metrics(NAME, [(31, "test_loss", 0.5)])
    # Not as of this moment: from a moment before it on all is told anyway.
    os.utime(ws.store.layout.metrics(NAME), (1, 1))
    opened.workbench.live.variants.look({NAME, OTHER})
    assert METRICS in opened._server.folders.look().changed[NAME]


def test_a_variant_that_is_waited_for_is_shown_once_its_training_has_begun(bench, ws, tmp_path):
    shutil.move(ws.store.layout.variant(NAME), tmp_path / "away")
    opened = bench("views=small.losses")
    assert [card.title for card in opened.workbench.board] == [f"There is no variant '{NAME}' here."]
    shutil.move(tmp_path / "away", ws.store.layout.variant(NAME))
    opened.workbench.live.variants.hear(Heard(moved=True))
    assert [card.title for card in opened.workbench.board] == ["Losses"]
    assert NAME in opened.workbench.sidebar.variant.options


def test_however_many_runs_begin_the_variants_are_listed_once_at_a_time(ws, when_told, monkeypatch):
    monkeypatch.setattr(run_watch.RunWatch, "listen", lambda self, hand, take: lambda: None)
    opened = Dashboard(server_context(ws.value, when_told), f"page=views&v={NAME}&views=small.losses")
    when_told.go()
    for _ in range(5):
        opened.workbench.live.variants.hear(Heard(moved=True))
    assert len(when_told.waiting) == 1
    when_told.waiting.pop()()
    assert len(when_told.waiting) == 1


def test_the_end_of_a_run_is_counted_and_its_views_are_no_longer_greyed(bench, ws):
    opened = bench("views=small.losses")
    ws.find(NAME).analyze("parameters.norms")
    run = submit(ws.value, opened._server.queue, AnalyzeRequest(variants=(NAME,), analyzers=("parameters.norms",)))
    ended = replace(run, state=RunState.COMPLETED)
    opened.workbench.live.variants.hear(Heard(runs={run.id: ended}))
    assert "1 of 1 analyses" in chips(opened)


# --- the watch


def test_files_of_what_is_looked_at_are_told_of_by_part_and_once_more_when_it_is_at_rest(ws):
    watch = FolderWatch(ws.store.layout, rest=0)
    leave = watch.attend(frozenset({NAME}))
    watch.look()
    watch.look()
    assert not watch.look()
    ws.store.append_metrics(NAME, [(31, "test_loss", 0.5)])
    ws.store.append_metrics(OTHER, [(31, "test_loss", 0.5)])
    checkpoint(ws, 40)
    both = {NAME: frozenset({METRICS, CHECKPOINTS})}
    assert [watch.look() for _ in range(3)] == [
        FilesChanged(changed=both),
        FilesChanged(rested=both),
        FilesChanged(),
    ]
    ws.find(NAME).analyze("parameters.norms", steps=[0])
    assert watch.look().changed == {NAME: frozenset({"parameters.norms"})}
    leave()
    checkpoint(ws, 50)
    assert not watch.look()


def test_what_comes_before_the_first_look_is_told_of_too(ws):
    watch = FolderWatch(ws.store.layout)
    watch.attend(frozenset({NAME}))
    ws.store.append_metrics(NAME, [(31, "test_loss", 0.5)])
    assert METRICS in watch.look().changed[NAME]


def test_a_variant_that_two_look_at_is_watched_until_both_have_left(ws):
    watch = FolderWatch(ws.store.layout)
    first, second = watch.attend(frozenset({NAME})), watch.attend(frozenset({NAME}))
    watch.look()
    first()
    checkpoint(ws, 40)
    assert NAME in watch.look().changed
    second()
    checkpoint(ws, 50)
    assert not watch.look()


def test_a_page_hears_of_a_training_by_another_process_from_the_one_watch_of_the_server(ws, at_once):
    opened, heard = Dashboard(server_context(ws.value, at_once), f"page=views&v={NAME}&views=small.losses"), Queue()
    opened.workbench.live.variants.on_files = heard.put
    ws.store.append_metrics(NAME, [(31, "test_loss", 0.5)])
    assert METRICS in heard.get(timeout=60).parts
    opened.selection.move(page="jobs")


# --- how late it is


def test_a_record_is_on_the_page_within_a_second_by_the_periods_of_all_that_it_goes_through():
    written = train._REPORT_EVERY + checkpoint_writer._WRITE_EVERY
    assert written + run_watch._LOOK_EVERY + paced._EVERY < 1
    # The same of what a run says of itself, on Jobs, Launch and Runs.
    assert train._REPORT_EVERY + reporter._EVERY + run_watch._LOOK_EVERY + paced._EVERY < 1


def test_a_training_writes_its_records_while_it_goes_on(ws, monkeypatch):
    monkeypatch.setattr(train, "_REPORT_EVERY", -1.0)
    monkeypatch.setattr(checkpoint_writer, "_WRITE_EVERY", -1.0)
    monkeypatch.setattr(checkpoint_writer, "_WRITES_TAKE", 1e9)
    variant = ws.variant("toy.sum", seed=5, checkpoints="every:1000")
    for progress in variant.train(steps=20, threads=1):
        if progress.step == 10:
            recorded = ws.store.metrics(variant.name)["test_loss"].steps
    assert list(recorded) == [*range(11)]
