"""`miscope.compare`: variants under one cursor, aligned by steps, the fraction of training or an event of each."""

from __future__ import annotations

import importlib.util
import json

import pytest

import miscope
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.errors import BadValue, UnknownName
from miscope.figures.comparing.clock import Clock
from miscope.notebook.clock import Course, places, settled
from miscope.notebook.extra import NoWidgets
from miscope.testing import tables

FIRST, SECOND = "toy.sum/v5-seed0-width16", "toy.sum/v5-seed1-width16"


@pytest.fixture
def both(toys: BoundWorkspace):
    return [toys.find(FIRST), toys.find(SECOND)]


def test_a_course_lays_steps_on_a_clock_and_the_clock_has_all_their_places():
    since = [Course(steps=(0, 10, 20), clock=Clock(zero=10)), Course(steps=(0, 10, 20), clock=Clock(zero=5))]
    assert [each.places for each in since] == [(-10, 0, 10), (-5, 5, 15)]
    assert places(since) == [-10, -5, 0, 5, 10, 15]
    assert Course(steps=(0, 1, 3), clock=Clock(unit=3.0)).places == (0.0, 0.333333, 1.0)


@pytest.mark.parametrize(("asked", "at"), [(None, 9), (100, 9), (3.5, 3), (-7, 1)])
def test_the_cursor_settles_at_or_before(asked, at):
    assert settled([1, 3, 9], asked) == at
    assert settled([], asked) is None


def test_a_view_is_drawn_for_each_variant_and_one_that_compares_once(both, front_end):
    widget = miscope.compare(both, ["toy.together", "toy.losses"])
    assert widget.title == "seed=0 \u00b7 seed=1"
    assert [(card["view"], card["member"], card["label"]) for card in widget.cards] == [
        ("toy.together", None, ""),
        ("toy.losses", 0, "seed=0"),
        ("toy.losses", 1, "seed=1"),
    ]
    assert (widget.steps, widget.step, widget.unit, widget.notes) == ([0, 10, 20, 30], 30, "epoch", [])
    (answer,) = front_end(widget).asks(kind="draw", card=0, step=None)
    assert len(json.loads(answer["figure"])["data"]) == 2


def test_variants_may_be_named_in_a_workspace(toys, front_end):
    widget = miscope.compare([FIRST, "v5-seed1-width16"], ["toy.losses"], workspace=toys)
    assert [card["label"] for card in widget.cards] == ["seed=0", "seed=1"]


def test_by_the_fraction_of_training_each_is_shown_at_its_own_step(both, toys, front_end):
    widget = miscope.compare(both, ["toy.losses"], align="fraction")
    assert widget.steps == [0.0, 0.333333, 0.666667, 1.0]
    assert widget.unit == "fraction of training"
    assert [course["unit"] for course in widget.courses] == [30.0, 30.0]
    widget.step = 0.7
    assert widget.step == 0.666667


@pytest.fixture(scope="module")
def dated(toys: BoundWorkspace) -> dict[str, BoundVariant]:
    """Two toys that memorise, at 63 and at 55 of 300 epochs; one that does not in 30; one that is not dated."""
    made = {}
    for seed in (0, 1):
        made[f"learnt {seed}"] = toys.variant("toy.sum", seed=seed, width=17, checkpoints="every:50")
        list(made[f"learnt {seed}"].train(steps=300, threads=1))
    for name, seed in (("short", 2), ("undated", 3)):
        made[name] = toys.variant("toy.sum", seed=seed)
        list(made[name].train(threads=1))
    for name in ("learnt 0", "learnt 1", "short"):
        made[name].analyze("events.grokking")
    return made


def memorised(variant: BoundVariant) -> int:
    return int(variant.arrays("events.grokking")["memorised"])


def test_by_an_event_the_cursor_begins_there_and_each_has_its_own_steps(dated, front_end):
    both = [dated["learnt 0"], dated["learnt 1"]]
    at = [memorised(each) for each in both]
    assert at[0] != at[1]
    widget = miscope.compare(both, ["toy.losses", "toy.together"], align="memorised")
    assert (widget.unit, widget.clock, dict(widget.events)) == ("epochs since memorised", "memorised", {"memorised": 0})
    assert widget.steps == sorted({step - each for each in at for step in range(0, 301, 50)})
    assert [course["origin"] for course in widget.courses] == at
    assert widget.step == max(place for place in widget.steps if place <= 0)
    (answer,) = front_end(widget).asks(kind="draw", card=2, step=None)
    about = json.loads(answer["figure"])["layout"]["meta"]["miscope"]
    assert (about["time_axes"], about["aligned"]) == ([], {"axes": ["x"], "by": "memorised"})


def test_a_variant_without_the_event_says_so_in_its_cards_and_the_others_are_shown(dated, front_end):
    widget = miscope.compare([dated["learnt 0"], dated["short"], dated["undated"]], ["toy.losses"], align="memorised")
    assert widget.cards[0]["words"] == []
    assert widget.cards[1]["words"][0] == "'memorised' did not happen in toy.sum/v5-seed2-width16."
    assert widget.cards[1]["words"][2] == "Align by what all have: step, fraction, or another event."
    assert widget.cards[2]["words"] == [
        "toy.sum/v5-seed3-width16 has no dated events.",
        "events.grokking was not computed of it.",
        f"To compute it:  miscope analyze toy.sum/v5-seed3-width16 --only events.grokking --workspace "
        f"{dated['undated'].workspace.root}",
    ]
    assert len(widget.steps) == 7


def test_where_no_variant_has_the_event_nothing_can_be_aligned(dated):
    with pytest.raises(BadValue) as refused:
        miscope.compare([dated["learnt 0"], dated["learnt 1"]], ["toy.losses"], align="grokking")
    told = str(refused.value).split("\n")
    assert told[0] == "None of the 2 variants can be aligned by 'generalised'."
    assert told[1].startswith(f"'generalised' did not happen in {dated['learnt 0'].name}. What did: ")
    assert told[2] == "Align by what all have: step, fraction, or another event."


def test_an_unknown_event_is_refused_with_the_nearest(both):
    with pytest.raises(BadValue) as refused:
        miscope.compare(both, ["toy.losses"], align="groking")
    assert str(refused.value) == (
        "Variants cannot be aligned by 'groking'.\n"
        "Did you mean 'grokking'?\n"
        "Align by step, by fraction, or by an event: memorised, peak, onset, half, complete, generalised, grokking."
    )


def test_different_probes_are_said(toys, front_end):
    other = toys.variant("toy.sum", values=7)
    list(other.train(threads=1))
    widget = miscope.compare([toys.find(FIRST), other], ["toy.losses"])
    assert widget.notes == ["Their probes differ: what is shown side by side is not of the same inputs."]


def test_one_variant_is_not_compared_nor_are_those_of_two_workspaces(both, tmp_path):
    with pytest.raises(BadValue) as alone:
        miscope.compare([both[0], both[0]], ["toy.losses"])
    assert str(alone.value) == (
        "1 variant cannot be compared.\n"
        "A comparison takes two or more, each once.\n"
        "Name others beside it; miscope.scrub shows one."
    )
    elsewhere = open_bound(tmp_path / "other", tables()).variant("toy.sum", seed=9)
    with pytest.raises(BadValue, match="Variants of different workspaces cannot be compared"):
        miscope.compare([both[0], elsewhere], ["toy.losses"])


def test_without_the_extra_it_says_what_to_install(both, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoWidgets, match=r"pip install miscope-core\[notebook\]"):
        miscope.compare(both, ["toy.losses"])


def test_an_unknown_name_is_refused(toys):
    with pytest.raises(UnknownName, match=r"There is no variant named 'nobody'"):
        miscope.compare([FIRST, "nobody"], ["toy.losses"], workspace=toys)
