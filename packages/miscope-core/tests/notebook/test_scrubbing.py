"""`miscope.scrub`: what the widget holds, what it answers to the browser, and what a notebook keeps of it."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from typing import Any

import pytest

import miscope
from miscope.bound import BoundWorkspace
from miscope.errors import BadValue, NoCheckpoint, UnknownName
from miscope.figures.client import part
from miscope.figures.wire import bundle
from miscope.notebook.extra import NoWidgets

NAME = "toy.sum/v5-seed0-width16"


@pytest.fixture
def widget(toys: BoundWorkspace, front_end: Callable[[Any], Any]):
    return miscope.scrub(toys.variant("toy.sum"), ["toy.losses", "toy.norms"])


def test_a_widget_begins_at_the_last_checkpoint_and_says_what_it_shows(widget):
    assert (widget.step, widget.steps, widget.unit) == (30, [0, 10, 20, 30], "epoch")
    assert widget.title == NAME
    assert [(card["view"], card["moves"], card["member"]) for card in widget.cards] == [
        ("toy.losses", False, 0),
        ("toy.norms", True, 0),
    ]
    assert repr(widget) == f"<{NAME}: 2 views at epoch 30>"


def test_it_begins_where_one_says_and_without_views_with_the_first_of_the_page(toys, front_end):
    widget = miscope.scrub(toys.variant("toy.sum"), step=12)
    assert widget.step == 10
    assert [card["view"] for card in widget.cards] == ["toy.broken", "toy.losses", "toy.norms"]


@pytest.mark.parametrize(("asked", "settled"), [(20, 20), (1200, 30), (19.5, 10), (-3, 0)])
def test_a_step_that_is_set_settles_on_the_checkpoint_at_or_before_it(widget, asked, settled):
    widget.step = asked
    assert widget.step == settled
    assert isinstance(widget.step, int)


def test_setting_the_step_tells_the_browser_and_a_click_there_tells_python(widget, front_end):
    heard = []
    widget.observe(lambda change: heard.append(change["new"]), "step")
    widget.step = 10
    assert front_end(widget).told == [({"method": "update", "state": {"step": 10}, "buffer_paths": []}, [])]
    front_end(widget).moves(20)
    assert heard == [10, 20]
    assert widget.step == 20


def test_a_figure_is_drawn_when_the_browser_asks_for_it(widget, front_end):
    (answer,) = front_end(widget).asks(kind="draw", card=1, step=10)
    figure = json.loads(answer.pop("figure"))
    assert answer == {"kind": "picture", "card": 1, "step": 10, "shown": 10, "words": [], "trace": ""}
    assert figure["layout"]["meta"]["miscope"]["step"] == 10
    (over,) = front_end(widget).asks(kind="draw", card=0, step=None)
    assert json.loads(over["figure"])["layout"]["meta"]["miscope"]["time_axes"] == ["x"]


def test_where_nothing_was_computed_the_nearest_before_is_shown(widget, front_end):
    (answer,) = front_end(widget).asks(kind="draw", card=1, step=30)
    assert (answer["step"], answer["shown"]) == (30, 20)


def test_controls_that_were_set_are_drawn_with(toys, front_end):
    variant = toys.variant("toy.sum")
    widget = miscope.scrub(variant, [variant.view("toy.norms", order="down")])
    (answer,) = front_end(widget).asks(kind="draw", card=0, step=10)
    names = json.loads(answer["figure"])["data"][0]["x"]
    assert names == sorted(names, reverse=True)


def test_a_view_of_another_variant_is_refused(toys):
    one, other = toys.variant("toy.sum"), toys.variant("toy.sum", seed=1)
    with pytest.raises(BadValue) as refusal:
        miscope.scrub(one, [other.view("toy.norms")])
    assert str(refusal.value) == (
        "That 'toy.norms' is of toy.sum/v5-seed1-width16.\nThe widget is of toy.sum/v5-seed0-width16.\n"
        "Take the view of a variant that the widget shows, or its name."
    )
    assert miscope.compare([one, other], [other.view("toy.norms")]).step == 30


def test_what_goes_wrong_in_a_view_is_said_in_its_card(toys, front_end):
    widget = miscope.scrub(toys.variant("toy.sum", seed=1), ["toy.broken", "toy.norms"])
    (broken,) = front_end(widget).asks(kind="draw", card=0, step=10)
    assert broken["figure"] == ""
    assert broken["words"] == [
        "'toy.broken' could not be drawn: ZeroDivisionError: division by zero",
        "It comes from shown local. Every other view works.",
    ]
    assert broken["trace"].endswith("ZeroDivisionError: division by zero\n")
    (missing,) = front_end(widget).asks(kind="draw", card=1, step=10)
    assert missing["words"][0] == "No 'parameters.norms' for toy.sum/v5-seed1-width16 at step 10."


def test_plotly_comes_from_the_kernel_and_from_no_other_machine(widget, front_end):
    front_end(widget).asks(kind="library")
    ((data, buffers),) = front_end(widget).told
    assert data == {"method": "custom", "content": {"kind": "library"}}
    assert buffers == [bundle().read_bytes()]


@pytest.mark.parametrize(
    "odd",
    [{"kind": "draw", "card": 2, "step": 0}, {"kind": "draw", "card": 0, "step": "0"}, {"kind": "else"}, {}],
)
def test_a_message_that_is_none_of_its_own_is_not_answered(widget, front_end, odd):
    assert front_end(widget).asks(**odd) == []


def test_its_cursor_and_charts_are_those_of_the_page(widget):
    for name in ("dom", "cursor", "framing", "chart"):
        assert part(name) in widget._esm


def test_a_notebook_without_a_kernel_has_words_in_its_place(toys, front_end):
    widget = miscope.scrub(toys.variant("toy.sum"), ["toy.broken", "toy.norms"], step=20)
    data, _ = widget._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert data["text/plain"] == f"<{NAME}: 2 views at epoch 20>"
    assert data["text/html"] == (
        f"<b>{NAME}</b><br>epoch 20 of 4<ul><li>&lt;b&gt;Broken&lt;/b&gt;</li><li>Norms</li></ul>"
        "<i>A widget: run the cell again in a notebook whose kernel answers. "
        "<code>variant.view(...).film('film.html')</code> writes a page that needs none.</i>"
    )


def test_a_variant_without_checkpoints_has_nothing_to_scrub(toys):
    with pytest.raises(NoCheckpoint, match=r"toy\.sum/v5-seed7-width16 has no checkpoints"):
        miscope.scrub(toys.variant("toy.sum", seed=7), ["toy.losses"])


def test_a_view_that_compares_is_refused(toys):
    with pytest.raises(BadValue) as refused:
        miscope.scrub(toys.variant("toy.sum"), ["toy.together"])
    assert str(refused.value) == (
        "'toy.together' cannot be scrubbed over one variant.\n"
        "It compares several.\n"
        "Give it several:  miscope.compare([variant, other], ['toy.together'])"
    )


def test_an_unknown_view_is_refused_with_the_nearest(toys):
    with pytest.raises(UnknownName, match=r"Did you mean 'toy.losses'\?"):
        miscope.scrub(toys.variant("toy.sum"), ["toy.loses"])


def test_without_the_extra_it_says_what_to_install(toys, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoWidgets) as refused:
        miscope.scrub(toys.variant("toy.sum"), ["toy.losses"])
    assert str(refused.value) == (
        "miscope.scrub shows a widget, and the package anywidget is not installed.\n"
        "It is an extra of miscope-core: training, analysis and figures need no notebook.\n"
        "Install it:  pip install miscope-core[notebook]  "
        '(or without a widget: variant.view(...).film("film.html"))'
    )
