"""The cursor bar: stages of training between events, and steps pinned with a note, which stay with the variant."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from miscope import Grain, View
from miscope.store.annotation import AnnotationChange, PinnedStep
from miscope.store.annotation_files import annotation_of, change_annotation
from miscope.view import SAME_SCALE
from miscope_panel.page.cursor import Cursor
from miscope_panel.page.dashboard import Dashboard
from miscope_panel.page.pages import server_context
from miscope_panel.page.run_watch import Heard
from miscope_panel.shown.option_words import option_words
from miscope_panel.shown.picture import as_shown
from miscope_panel.shown.shared_controls import given_by_bar, left_to_bar, shared_by
from miscope_panel.shown.training_stages import course_of, stages_between

SPAN = (0.0, 1000.0)


@pytest.fixture
def ws(empty):
    """Two variants that were trained a little."""
    for seed in (1, 0):
        list(empty.variant("toy.sum", seed=seed).train(steps=20, threads=1))
    return empty


def opened(ws, pool, query="page=views", *, read_only=False):
    return Dashboard(server_context(ws.value, pool, read_only=read_only), query)


def cursor(bench):
    return bench.workbench.cursor


def parts(events):
    return [(stage.name, stage.first, stage.last) for stage in stages_between(events, SPAN)]


@pytest.mark.parametrize(
    ("events", "stages"),
    [
        ({}, []),
        ({"peak": 20.0}, []),
        ({"memorised": 100.0}, [("memorisation", 0, 100), ("memorised", 100, 1000)]),
        (
            {"memorised": 100.0, "peak": 150.0, "onset": 400.0, "half": 500.0, "generalised": 700.0},
            [("memorisation", 0, 100), ("plateau", 100, 400), ("generalisation", 400, 700), ("generalised", 700, 1000)],
        ),
        (
            {"memorised": 100.0, "onset": 400.0},
            [("memorisation", 0, 100), ("plateau", 100, 400), ("generalisation", 400, 1000)],
        ),
        # The test loss falls before the training set is memorised: there is no plateau.
        (
            {"memorised": 300.0, "onset": 200.0, "generalised": 350.0},
            [("memorisation", 0, 200), ("generalisation", 200, 350), ("generalised", 350, 1000)],
        ),
        ({"generalised": 1000.0}, [("memorisation", 0, 1000)]),
        ({"memorised": 0.0, "onset": 0.0, "generalised": 0.0}, [("generalised", 0, 1000)]),
    ],
)  # fmt: skip
def test_stages_lie_between_the_events_that_were_detected(events, stages):
    assert parts(events) == stages


def test_neighbouring_stages_have_colours_of_their_own():
    found = stages_between({"memorised": 100.0, "onset": 400.0, "generalised": 700.0}, SPAN)
    assert len({stage.colour for stage in found}) == 4


def test_of_a_variant_of_which_nothing_was_detected_there_are_no_stages(trained, name):
    course = course_of(trained, name, trained.store.steps(name))
    assert (dict(course.events), course.stages) == ({}, ())


def test_a_step_is_pinned_with_a_note_and_stays_with_the_variant(ws, at_once):
    bench = opened(ws, at_once)
    name = bench.selection.place.variant
    assert (cursor(bench).variant, cursor(bench).pins, cursor(bench).can_pin) == (name, [], True)
    cursor(bench).on_message({"kind": "pin", "step": 20, "note": " here it turns "})
    cursor(bench).on_message({"kind": "pin", "step": 0, "note": ""})
    pins = [{"step": 0, "note": ""}, {"step": 20, "note": "here it turns"}]
    assert cursor(bench).pins == pins
    assert [pin.step for pin in annotation_of(ws.store, name).pins] == [0, 20]
    assert cursor(opened(ws, at_once)).pins == pins
    cursor(bench).on_message({"kind": "unpin", "step": 0})
    assert cursor(bench).pins == pins[1:]


def test_pins_are_those_of_the_variant_that_is_looked_at(ws, at_once):
    bench = opened(ws, at_once)
    first, other = sorted(ws.value.names())
    cursor(bench).on_message({"kind": "pin", "step": 20, "note": ""})
    bench.selection.move(variant=other)
    assert (cursor(bench).variant, cursor(bench).pins) == (other, [])
    bench.selection.move(variant=first)
    assert cursor(bench).pins == [{"step": 20, "note": ""}]


def test_what_somebody_else_pins_is_there_while_the_page_is_looked_at(ws, at_once):
    bench = opened(ws, at_once)
    name = bench.selection.place.variant
    change_annotation(ws.store, name, AnnotationChange(pins=(PinnedStep(step=20, note="theirs"),)))
    assert cursor(bench).pins == []
    bench.workbench.course.hear_of(Heard(noted=frozenset({name})))
    assert cursor(bench).pins == [{"step": 20, "note": "theirs"}]
    bench.selection.move(page="jobs")
    change_annotation(ws.store, name, AnnotationChange(unpin=(20,)))
    bench.workbench.course.hear_of(Heard(noted=frozenset({name})))
    assert len(cursor(bench).pins) == 1
    bench.selection.move(page="views")
    # Of what happened before one listens there is told that everything may be otherwise.
    bench.workbench.course.hear_of(Heard(anew=True))
    assert cursor(bench).pins == []


def test_an_answer_of_before_does_not_take_a_later_one_away(ws, when_told):
    bench = opened(ws, when_told)
    when_told.go()
    cursor(bench).on_message({"kind": "pin", "step": 10, "note": "a"})
    cursor(bench).on_message({"kind": "pin", "step": 20, "note": "b"})
    when_told.waiting.reverse()
    when_told.go()
    assert [pin["step"] for pin in cursor(bench).pins] == [10, 20]


def test_a_note_that_cannot_be_kept_is_said_and_nothing_is_pinned(ws, at_once):
    bench = opened(ws, at_once)
    cursor(bench).on_message({"kind": "pin", "step": 20, "note": "x" * 201})
    assert cursor(bench).pin_said.splitlines()[0] == "That cannot be the pins of a variant."
    cursor(bench).on_message({"kind": "pin", "step": 20, "note": ""})
    assert (cursor(bench).pin_said, len(cursor(bench).pins)) == ("", 1)


def test_a_server_that_only_shows_pins_nothing(ws, at_once):
    bench = opened(ws, at_once, read_only=True)
    cursor(bench).on_message({"kind": "pin", "step": 20, "note": ""})
    assert (cursor(bench).can_pin, cursor(bench).pins) == (False, [])
    assert annotation_of(ws.store, cursor(bench).variant).revision == 0


def test_whether_stages_are_shown_is_in_the_address(ws, at_once):
    assert cursor(opened(ws, at_once)).shows_stages
    bench = opened(ws, at_once, "page=views&cursor:stages=off")
    assert not cursor(bench).shows_stages
    cursor(bench).shows_stages = True
    assert "cursor:stages" not in bench.shell.query
    cursor(bench).shows_stages = False
    assert "cursor:stages=off" in bench.shell.query


def axes(bench):
    (card,) = bench.workbench.board
    values = {each["name"]: each["value"] for each in card.picture["controls"]}
    return {name: values[name] for name in ("clock", "events")}, card.elsewhere


def test_the_time_axes_of_all_cards_are_turned_on_the_bar_and_the_address_has_it(ws, at_once):
    bench = opened(ws, at_once, "page=views&views=small.losses")
    shared = ["clock", "events"]
    assert axes(bench) == ({"clock": "linear", "events": True}, shared)
    cursor(bench).clock = "log"
    cursor(bench).event_marks = False
    assert axes(bench) == ({"clock": "log", "events": False}, shared)
    assert "cursor:clock=log&cursor:events=false" in bench.shell.query
    again = opened(ws, at_once, bench.shell.query)
    assert (cursor(again).clock, cursor(again).event_marks, axes(again)) == ("log", False, axes(bench))


def test_a_card_whose_address_turns_its_own_time_axis_keeps_it_until_it_is_as_the_bar_has_it(ws, at_once):
    bench = opened(ws, at_once, "page=views&views=small.losses&small.losses:clock=log")
    assert axes(bench) == ({"clock": "log", "events": True}, ["events"])
    (card,) = bench.workbench.board
    card.on_message({"kind": "turn", "control": "clock", "value": "linear"})
    assert axes(bench)[1] == ["clock", "events"]
    assert "small.losses:clock" not in bench.shell.query
    cursor(bench).clock = "log"
    assert axes(bench)[0]["clock"] == "log"


def test_time_axes_show_the_fraction_of_training_or_count_since_an_event_that_happened(ws, at_once):
    bench = opened(ws, at_once, "page=views&views=small.losses&cursor:clock=fraction")
    (card,) = bench.workbench.board
    assert json.loads(card.picture["figure"])["layout"]["meta"]["miscope"]["clock"] == {"zero": 0.0, "unit": 20.0}
    assert (cursor(bench).clock, axes(bench)[0]["clock"]) == ("fraction", "fraction")
    # It never happened there: cards count steps, and the bar says why.
    cursor(bench).clock = "since generalised"
    assert "cursor:clock=since+generalised" in bench.shell.query
    assert (cursor(bench).clock, axes(bench)[0]["clock"]) == ("since generalised", "linear")


def test_a_time_axis_that_there_is_not_is_none(ws, at_once):
    bench = opened(ws, at_once, "page=views&views=small.losses&cursor:clock=sideways")
    assert (cursor(bench).clock, axes(bench)[0]["clock"]) == ("linear", "linear")


def test_what_the_bar_has_of_all_cards_is_of_reports_too_and_stays_out_of_what_is_held(ws, at_once):
    bench = opened(ws, at_once, "page=views&views=small.losses&cursor:clock=fraction&cursor:events=false")
    ((_, request),) = bench.workbench.cards.cards()
    assert as_shown(ws.value, request).controls == {"clock": "fraction", "events": "False"}
    (card,) = bench.workbench.board
    card.on_message({"kind": "hold"})
    assert not [key for key in bench.selection.place.turned if key[0] != "cursor"]


def test_whether_views_of_a_checkpoint_keep_their_scale_is_turned_on_the_bar_unless_a_view_has_another_way(ws, at_once):
    bench = opened(ws, at_once, "page=views&cursor:locked=false")
    assert not cursor(bench).same_scale
    bars = View(name="a.bars", title="", grain=Grain.CHECKPOINT, draw=lambda shown: None, controls=(SAME_SCALE,))
    free = replace(bars, controls=(replace(SAME_SCALE, default=False),))
    place = bench.selection.place
    assert (shared_by(bars, place, "a.bars"), given_by_bar(bars, place, "a.bars")) == (["locked"], {"locked": "false"})
    assert (shared_by(free, place, "a.bars"), given_by_bar(free, place, "a.bars")) == ([], {})
    own = place.turn("a.bars", "locked", "true")
    assert (shared_by(bars, own, "a.bars"), given_by_bar(bars, own, "a.bars")) == ([], {})
    assert left_to_bar(own, bars, "a.bars") == own
    assert left_to_bar(own.turn("a.bars", "locked", "false"), bars, "a.bars") == place
    cursor(bench).same_scale = True
    assert "cursor:locked" not in bench.shell.query


def test_what_is_turned_together_with_a_move_of_the_cursor_is_not_lost(ws, at_once):
    bench = opened(ws, at_once, "page=views&views=small.losses&cursor:clock=fraction")
    seen = []
    cursor(bench).param.watch(lambda event: seen.append(event.new), "clock")
    cursor(bench).param.update(asked=0, clock="log", event_marks=False)
    # What the browser has is never set back.
    assert seen == ["log"]
    assert (bench.selection.place.step, cursor(bench).clock, cursor(bench).event_marks) == (0, "log", False)
    assert bench.shell.query.endswith("&cursor:clock=log&cursor:events=false")


def test_a_view_without_axes_that_count_steps_is_asked_for_nothing_of_the_bar(ws, at_once):
    bench = opened(ws, at_once, "page=views&views=small.neuron")
    (card,) = bench.workbench.board
    before = card.picture
    cursor(bench).clock = "log"
    assert (card.picture, card.elsewhere) == (before, [])


def test_menus_call_events_by_what_plots_call_them():
    assert option_words(["linear", "fraction", "since onset", "complete"]) == {
        "words": {"since onset": "since onset of test loss fall", "complete": "90 % of test loss fall"}
    }
    assert option_words(["linear", "memorised"]) == {}


def test_the_cursor_knows_what_each_event_is_called_and_means():
    words = Cursor().event_words

    assert words["half"]["long"] == "half of test loss fall"
    assert words["half"]["means"] == "log test loss has gone half of its whole fall"


def test_a_range_of_steps_is_said_as_the_axes_of_the_cards_count(ws, at_once):
    bar = opened(ws, at_once, "page=views&cursor:clock=fraction").workbench.cursor
    assert bar.axis_clock == {"zero": 0.0, "unit": 20.0, "title": "fraction of training"}
    assert opened(ws, at_once).workbench.cursor.axis_clock == {"zero": 0.0, "unit": 1.0, "title": ""}
    # Of an event that never happened in the run cards count steps.
    assert opened(ws, at_once, "page=views&cursor:clock=since onset").workbench.cursor.axis_clock["title"] == ""
