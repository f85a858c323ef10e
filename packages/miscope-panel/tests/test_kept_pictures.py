"""What was drawn is not drawn again while what it shows is the same, and is where that changed."""

import os
import time
import types
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event

import plotly.graph_objects as go
import pytest

from miscope import Grain, Needs, View, hookimpl
from miscope.bound import open_bound
from miscope.testing import tables
from miscope_panel.page.kept_pictures import KeptPictures
from miscope_panel.shown.last_changed import last_changed
from miscope_panel.shown.picture import Request, picture

AGES = 3600
"""Seconds since the files of the workspace changed, in these tests."""


class Counted:
    """A workspace with views that say how often they were drawn."""

    def __init__(self, root: Path) -> None:
        self.drawn: list[tuple[str, int | None]] = []
        needs = {"counted.plain": {}, "counted.norms": {"optional": ("parameters.norms",)}}
        views = [self.view(name, Needs(**given)) for name, given in needs.items()]
        over = View(name="counted.over", title="Over", grain=Grain.TRAJECTORY, draw=views[0].draw)
        module = types.ModuleType("counted")
        module.miscope_views = hookimpl(lambda: [*views, over])  # type: ignore[attr-defined]
        self.workspace = open_bound(root, tables(counted=module)).value
        self.request = Request(view="counted.plain", variant="toy.sum/v5-seed0-width16", step=10)

    def view(self, name: str, needs: Needs) -> View:
        def draw(shown):
            """Counts."""
            self.drawn.append((name, shown.step))
            if name == "counted.norms" and shown.step == 0:
                raise ZeroDivisionError("division by zero")
            return go.Figure(go.Bar(y=[len(shown.artifacts)]))

        return View(name=name, title=name, grain=Grain.CHECKPOINT, draw=draw, needs=needs)


@pytest.fixture
def counted(tmp_path) -> Counted:
    found = open_bound(tmp_path / "workspace", tables())
    list(found.variant("toy.sum", seed=0).train(threads=1))
    made = Counted(found.root)
    grow_old(made)
    return made


def grow_old(counted: Counted) -> None:
    """As if all had lain there for long; what was changed since the last time, for less long."""
    for folder, _, _ in os.walk(counted.workspace.root):
        if os.stat(folder).st_mtime > time.time() - AGES / 2:
            then = os.stat(folder).st_mtime - AGES
            os.utime(folder, (then, then))


def test_the_same_step_is_drawn_once_and_is_what_would_be_drawn(counted):
    kept = KeptPictures()
    there_and_back = [kept.picture(counted.workspace, replace(counted.request, step=step)) for step in (10, 20, 10)]
    assert [step for _, step in counted.drawn] == [10, 20]
    assert there_and_back[2] == there_and_back[0] == picture(counted.workspace, counted.request)
    assert there_and_back[0] != there_and_back[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"step": 20},
        {"view": "counted.norms"},
        {"controls": {"neuron": "3"}},
        {"selected": {"neuron": "3"}},
        {"exact": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_request_is_another_picture(counted, changes):
    kept = KeptPictures()
    for request in (counted.request, replace(counted.request, **changes)):
        kept.picture(counted.workspace, request)
    assert len(counted.drawn) == 2


def test_a_picture_is_drawn_anew_once_something_was_computed(counted):
    kept, request = KeptPictures(), replace(counted.request, view="counted.norms")
    before = kept.picture(counted.workspace, request)
    (variant,) = open_bound(counted.workspace.root, tables()).variants()
    variant.analyze("parameters.norms", steps=[10])
    grow_old(counted)
    assert kept.picture(counted.workspace, request).figure != before.figure
    after = kept.picture(counted.workspace, request)
    assert len(counted.drawn) == 2
    assert after.figure == picture(counted.workspace, request).figure != before.figure


def test_what_changed_this_moment_is_not_kept(counted):
    kept = KeptPictures()
    os.utime(counted.workspace.store.layout.checkpoints(counted.request.variant))
    for _ in range(2):
        kept.picture(counted.workspace, counted.request)
    assert len(counted.drawn) == 2


def test_a_failure_is_tried_again(counted):
    kept, request = KeptPictures(), replace(counted.request, view="counted.norms", step=0)
    assert [kept.picture(counted.workspace, request).state for _ in range(2)] == ["error", "error"]
    assert len(counted.drawn) == 2


def test_what_does_not_follow_the_step_or_is_not_there_is_left_to_the_card(counted):
    for changes in ({"view": "counted.over", "step": None}, {"view": "counted.gone"}, {"variant": "toy.sum/gone"}):
        request = replace(counted.request, **changes)
        assert last_changed(counted.workspace, request) is None
        assert KeptPictures().picture(counted.workspace, request).state == picture(counted.workspace, request).state


def test_when_there_is_no_room_the_one_not_looked_at_for_longest_goes(counted):
    one = len(picture(counted.workspace, counted.request).figure)
    kept = KeptPictures(most=2 * one + one // 2)
    counted.drawn.clear()
    for step in (0, 10, 0, 20, 0, 10):
        kept.picture(counted.workspace, replace(counted.request, step=step))
    assert [step for _, step in counted.drawn] == [0, 10, 20, 10]


def test_one_that_has_no_room_at_all_throws_nothing_out(counted):
    kept = KeptPictures(most=1)
    assert kept.picture(counted.workspace, counted.request).state == "figure"
    assert kept.picture(counted.workspace, counted.request).state == "figure"
    assert len(counted.drawn) == 2


def test_who_wants_to_see_what_there_is_now_has_it_drawn_anew(counted):
    kept = KeptPictures()
    kept.picture(counted.workspace, counted.request)
    kept.forget()
    kept.picture(counted.workspace, counted.request)
    assert len(counted.drawn) == 2


def test_who_asks_for_what_is_being_drawn_waits_for_it(counted, monkeypatch):
    kept, begun, gate, drawn = KeptPictures(), Event(), Event(), []

    def slow(workspace, request):
        drawn.append(request.step)
        begun.set()
        assert gate.wait(120)
        return picture(workspace, request)

    monkeypatch.setattr("miscope_panel.page.kept_pictures.picture", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(kept.picture, counted.workspace, counted.request)
        assert begun.wait(120)
        second = pool.submit(kept.picture, counted.workspace, counted.request)
        gate.set()
        assert first.result(120) is second.result(120)
    assert drawn == [10]


def test_what_can_be_kept_is_drawn_ahead_and_not_again_when_it_is_asked_for(counted):
    kept = KeptPictures()
    kept.ahead(counted.workspace, counted.request)
    assert kept.picture(counted.workspace, counted.request).state == "figure"
    assert len(counted.drawn) == 1


def test_what_cannot_be_kept_is_not_drawn_ahead(counted):
    os.utime(counted.workspace.store.layout.checkpoints(counted.request.variant))
    for request in (counted.request, replace(counted.request, variant="toy.sum/gone")):
        KeptPictures().ahead(counted.workspace, request)
    assert counted.drawn == []


def test_where_a_folder_goes_away_meanwhile_the_card_is_drawn_and_nothing_is_kept(counted, monkeypatch):
    kept, request = KeptPictures(), replace(counted.request, view="counted.norms")
    (variant,) = open_bound(counted.workspace.root, tables()).variants()
    variant.analyze("parameters.norms", steps=[10])
    grow_old(counted)
    assert last_changed(counted.workspace, request) is not None

    def gone(folder):
        raise FileNotFoundError(folder)

    monkeypatch.setattr(Path, "iterdir", gone)
    assert last_changed(counted.workspace, request) is None
    monkeypatch.undo()
    monkeypatch.setattr("miscope_panel.shown.last_changed._folders", lambda *of: gone("recipes"))
    assert [kept.picture(counted.workspace, request).state for _ in range(2)] == ["figure", "figure"]
    assert len(counted.drawn) == 2
