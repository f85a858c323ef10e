"""The next step is drawn before anybody asks for it, and no other."""

import pytest

from miscope_panel.page.drawing_ahead import DrawingAhead
from miscope_panel.page.errands import Errands
from miscope_panel.shown.picture import Request

STEPS = [0, 10, 20, 30]


def at(step, view="a.b"):
    return Request(view=view, variant="f/v", step=step)


@pytest.fixture
def drawn():
    return []


@pytest.fixture
def ahead(when_told, drawn):
    return DrawingAhead(Errands(when_told), lambda request: drawn.append((request.view, request.step)))


def test_where_the_cursor_goes_on_the_next_step_of_every_card_is_drawn(ahead, when_told, drawn):
    ahead.move(STEPS, 0)
    ahead.move(STEPS, 10)
    ahead.follow([at(10), at(10, "c.d")])
    assert drawn == []
    when_told.go()
    assert drawn == [("a.b", 20), ("c.d", 20)]


@pytest.mark.parametrize(
    ("moves", "then"),
    [
        ([30, 20], 10),
        ([0, 20], None),
        ([30, 10], None),
        ([0], None),
        ([20, 30], None),
        ([0, None], None),
        ([0, 10, 10], 20),
    ],
    ids=["back", "past the last", "past the first", "not moved", "at the end", "nowhere", "still there"],
)
def test_it_is_one_as_far_on_in_the_same_direction(ahead, when_told, drawn, moves, then):
    for step in moves:
        ahead.move(STEPS, step)
    ahead.follow([at(moves[-1])])
    when_told.go()
    assert drawn == ([] if then is None else [("a.b", then)])


def test_other_steps_say_nothing_of_the_direction(ahead, when_told, drawn):
    ahead.move(STEPS, 10)
    ahead.move([0, 5, 20, 25], 20)
    ahead.follow([at(20)])
    when_told.go()
    assert drawn == []


def test_what_is_stale_is_dropped_and_the_latest_is_drawn(ahead, when_told, drawn):
    for step in (0, 10):
        ahead.move(STEPS, step)
    ahead.follow([at(10)])
    ahead.move(STEPS, 20)
    ahead.follow([at(20)])
    assert len(when_told.waiting) == 1
    when_told.go()
    assert drawn == [("a.b", 30)]


def test_a_view_that_takes_long_is_not_drawn_ahead_again(ahead, when_told, drawn, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr("miscope_panel.page.drawing_ahead.time.monotonic", lambda: next(clock))
    for step in (0, 10, 20):
        ahead.move(STEPS, step)
        ahead.follow([at(step)])
        when_told.go()
    assert drawn == [("a.b", 20)]


def test_what_fails_is_left_to_the_card_and_the_next_is_drawn(when_told):
    asked = []

    def fail(request):
        asked.append(request.step)
        raise PermissionError(request.view)

    ahead = DrawingAhead(Errands(when_told), fail)
    for step in (0, 10, 20):
        ahead.move(STEPS, step)
        ahead.follow([at(step)])
        when_told.go()
    assert asked == [20, 30]
