"""The page of comparisons while its variants are trained and analyzed: what came since is there by itself."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest

from miscope.bound import open_bound
from miscope.errors import MiscopeError
from miscope_panel.page import compared_group, paced, run_watch
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.page.run_watch import Heard
from miscope_panel.shown.comparing.compared_view import compared_view
from miscope_panel.shown.files_changed import CHECKPOINTS, METRICS, FilesChanged

FIRST, OTHER = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"

ADDRESS = f"page=compare&v={FIRST}&v={OTHER}&compare:views=small.losses&e=20"


@pytest.fixture
def ws(trained, tmp_path):
    shutil.copytree(trained.root, tmp_path / "ws")
    return open_bound(tmp_path / "ws", trained.plugins)


@pytest.fixture
def page(ws, at_once, monkeypatch):
    """The page over losses of two variants; it hears only what a test says."""
    monkeypatch.setattr(run_watch.RunWatch, "listen", lambda self, hand, take: lambda: None)
    monkeypatch.setattr(paced, "_EVERY", 0.0)
    # The page lives as long as its dashboard.
    dashboard = Dashboard(server_context(ws.value, at_once), ADDRESS)
    page = dashboard.opened("compare")
    page.dashboard = dashboard
    return page


def comes(page, part, name=OTHER, *, rested=False):
    files = {name: frozenset({part})}
    page.live.hear(Heard(files=FilesChanged(rested=files) if rested else FilesChanged(changed=files)))


def looks(page):
    """As the watch finds what came by now, and that it is at rest."""
    folders = page.dashboard._server.folders
    folders._rest = 0.0
    for _ in range(2):
        page.live.hear(Heard(files=folders.look()))


def cards(page):
    return [each for each in page.board if hasattr(each, "picture")]


def test_records_of_one_that_trains_are_drawn_and_said_and_no_card_waits(page, ws):
    (card,) = cards(page)
    before, waited = card.picture, []
    card.param.watch(lambda event: waited.append(event.new), "pending")
    ws.store.append_metrics(OTHER, [(31, "test_loss", 0.5)])
    comes(page, METRICS)
    assert cards(page) == [card]
    assert len(card.picture["arrays"]) > len(before["arrays"])
    assert waited == []
    assert [chip["words"][0] for chip in page.bar.chips if chip["variant"] == OTHER] == ["test loss 0.5"]


def test_what_is_drawn_as_before_is_not_sent_again(page):
    (card,) = cards(page)
    sent = []
    card.param.watch(lambda event: sent.append(event.name), ["picture", "pending"])
    page.bar.param.watch(lambda event: sent.append(event.name), ["chips", "notes"])
    comes(page, METRICS, rested=True)
    assert sent == []


def test_new_checkpoints_of_the_first_are_steps_of_the_cursor_which_stays(page, ws):
    last = ws.store.load_checkpoint(FIRST, 30)
    ws.store.save_checkpoint(FIRST, type(last)(step=40, weights=last.weights, metrics={}))
    comes(page, CHECKPOINTS, FIRST)
    assert (page.cursor.steps, page.cursor.asked) == ([0, 10, 20, 30, 40], 20)


def test_what_is_out_of_sight_is_drawn_once_it_is_seen(page, ws):
    (card,) = cards(page)
    card.in_sight = False
    before = card.picture
    ws.store.append_metrics(OTHER, [(31, "test_loss", 0.5)])
    comes(page, METRICS)
    assert card.picture is before
    card.in_sight = True
    assert card.picture is not before


def test_what_comes_while_another_page_is_looked_at_is_there_on_return(page, ws):
    (card,) = cards(page)
    looks(page)
    before = card.picture
    page.dashboard.selection.move(page="jobs")
    ws.store.append_metrics(OTHER, [(31, "test_loss", 0.5)])
    os.utime(ws.store.layout.metrics(OTHER), (1, 1))
    looks(page)
    assert card.picture is before
    page.dashboard.selection.move(page="compare")
    looks(page)
    assert cards(page) == [card]
    assert card.picture is not before
    assert [chip["words"][0] for chip in page.bar.chips if chip["variant"] == OTHER] == ["test loss 0.5"]


@pytest.mark.parametrize("fails", [None, 3])
def test_a_redraw_that_overtakes_what_was_asked_for_ends_the_waiting(ws, when_told, monkeypatch, fails):
    dashboard = Dashboard(server_context(ws.value, when_told), ADDRESS)
    when_told.go()
    (group,) = dashboard.opened("compare")._groups.values()
    drawn = []

    def draw(workspace, request):
        drawn.append(request)
        if len(drawn) == fails:
            raise MiscopeError("The file is cut short.")
        return compared_view(workspace, request)

    monkeypatch.setattr(compared_group, "compared_view", draw)
    group.renew(urgent=True)
    group.renew(urgent=True)
    group.ask(replace(group.asked, own_scales=True))
    assert group.cards[0].pending
    when_told.go()
    assert not group.cards[0].pending
