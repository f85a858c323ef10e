from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope import Choice, Grain, Toggle, View, ViewData
from miscope.family import make_variant
from miscope.figures.controls import options, settle
from miscope.figures.event_marks import event_marks
from miscope.figures.render import draw
from miscope.snapshot import Series
from miscope.testing import ToyFamily
from miscope.view import EVENT_MARKS, STEP_SCALE, Member

STEPS = np.array([0, 10, 1000])
SHOWN = ViewData(
    variant=make_variant(ToyFamily(), {}),
    step=None,
    steps=STEPS,
    step_label="epoch",
    events={"memorised": 10.0, "onset": 20.0, "half": 300.0, "generalised": 900.0},
)
CURVE = {"type": "scatter", "x": STEPS, "y": STEPS}
HEAT = {"type": "heatmap", "x": STEPS, "y": ["a", "b"], "z": np.arange(6.0).reshape(2, 3)}


def view(drawing: Callable[..., go.Figure], *controls: Any, grain: Grain = Grain.TRAJECTORY) -> View:
    return View(name="test.view", title="T", grain=grain, draw=drawing, controls=controls, time_axis="x")


def drawn(*traces: dict[str, Any], shown: ViewData = SHOWN, turned: dict[str, Any] | None = None, **layout: Any) -> Any:
    """The figure that core makes of these traces and this layout."""
    figure = draw(view(lambda shown: go.Figure(list(traces), layout)), shown, turned or {})
    return figure.layout


def labels(layout: Any) -> list[str]:
    return [shape.label.text for shape in layout.shapes if shape.label.text]


def test_the_axis_of_a_drawing_that_gives_traces_alone_is_titled_and_marked():
    layout = drawn(CURVE)

    assert (layout.xaxis.title.text, layout.xaxis.tickformat, layout.xaxis.type) == ("epoch", ",", None)
    assert labels(layout) == ["memorised 10", "onset of test loss fall 20", "generalised 900"]
    assert [mark.x0 for mark in layout.shapes] == [10, 20, 900]
    assert layout.yaxis.title.text is None


def test_labels_of_close_events_do_not_meet():
    assert [mark.label.textposition for mark in drawn(CURVE).shapes] == ["end", "start", "end"]
    alone = replace(SHOWN, steps=np.array([], dtype=np.int64), events={"memorised": 200.0, "onset": 200.0})
    assert [mark.label.textposition for mark in drawn(CURVE, shown=alone).shapes] == ["end", "start"]


def test_marks_can_be_turned_off_and_a_logarithmic_axis_says_what_it_leaves_out():
    layout = drawn(CURVE, turned={"events": False, "clock": "log"})

    assert not layout.shapes
    assert (layout.xaxis.type, layout.xaxis.title.text) == ("log", "epoch (log; 0 is not shown)")


def test_what_a_figure_sets_of_its_axis_stays():
    own = {"title": {"text": "time"}, "tickformat": ".1f", "type": "linear", "anchor": "y"}
    layout = drawn(CURVE, {**CURVE, "yaxis": "y2"}, turned={"clock": "log"}, xaxis=own, yaxis2={"domain": [0, 0.4]})

    assert layout.xaxis.to_plotly_json() == own
    assert drawn(CURVE, turned={"clock": "log"}, xaxis={"title": {"text": "time"}}).xaxis.title.text == (
        "time (log; 0 is not shown)"
    )
    assert drawn(CURVE, turned={"clock": "log"}, xaxis={"range": [0, 1000]}).xaxis.range is None


def test_a_line_begins_at_its_first_step_above_0_on_a_logarithmic_axis():
    line = {**CURVE, "customdata": [[1, 2], [3, 4], [5, 6]], "marker": {"size": [1, 2, 3]}, "error_y": {"array": STEPS}}
    figure = draw(view(lambda shown: go.Figure([line, {**CURVE, "text": "the same of all"}])), SHOWN, {"clock": "log"})

    for trace in figure.data:
        assert (list(trace.x), list(trace.y)) == ([10, 1000], [10, 1000])
    assert np.asarray(figure.data[0].customdata).tolist() == [[3, 4], [5, 6]]
    assert list(figure.data[0].marker.size) == [2, 3]
    assert list(figure.data[0].error_y.array) == [10, 1000]
    assert figure.data[1].text == "the same of all"


def test_a_heat_map_has_no_cell_at_step_0_on_a_logarithmic_axis():
    figure = draw(view(lambda shown: go.Figure(HEAT)), SHOWN, {"clock": "log"})
    (heat,) = figure.data

    assert list(heat.x) == [10, 1000]
    assert heat.z.tolist() == [[1, 2], [4, 5]]
    assert HEAT["z"].shape == (2, 3)


def test_steps_on_both_axes_are_marked_across_and_down_with_labels_once():
    square = {"type": "heatmap", "x": STEPS, "y": STEPS, "z": np.ones((3, 3))}
    both = {"meta": {"time_axes": ["x", "y"]}}
    layout = drawn(square, turned={"clock": "log"}, **both)
    across = [mark for mark in layout.shapes if mark.yref == "y" and mark.line.dash == "dot"]

    assert [(mark.y0, mark.y1) for mark in across] == [(10, 10), (20, 20), (900, 900)]
    assert {(mark.xref, mark.x0, mark.x1) for mark in across} == {("x domain", 0, 1)}
    assert len(across) == len(labels(layout)) == 3
    assert layout.yaxis.title.text == "epoch (log; 0 is not shown)"
    assert draw(view(lambda shown: go.Figure(square, both)), SHOWN, {"clock": "log"}).data[0].z.shape == (2, 2)


def test_labels_of_events_on_an_axis_that_goes_up_lie_along_their_lines():
    upright = replace(view(lambda shown: go.Figure(CURVE)), time_axis="y")
    layout: Any = draw(upright, SHOWN, {}).layout

    assert labels(layout) == ["memorised 10", "onset of test loss fall 20", "generalised 900"]
    assert [(mark.y0, mark.y1, mark.label.textangle) for mark in layout.shapes] == [
        (10, 10, 0),
        (20, 20, 0),
        (900, 900, 0),
    ]
    assert [mark.label.yanchor for mark in layout.shapes] == ["bottom", "bottom", "top"]
    assert {mark.label.padding for mark in layout.shapes} == {4}


def test_labels_of_events_that_stand_end_where_their_panel_does():
    marks = event_marks(SHOWN)
    assert {mark["y1"] for mark in marks} == {1}
    # Padding is across the page, whichever way the text runs.
    assert {mark["label"]["padding"] for mark in marks} == {0}


def test_a_label_in_a_low_panel_is_broken_and_calls_the_event_the_same():
    beside = {"type": "bar", "x": ["a"], "y": [1], "xaxis": "x2", "yaxis": "y2"}
    panels = {"yaxis": {"domain": [0.6, 1]}, "yaxis2": {"domain": [0.1, 0.4]}}
    layout = drawn(CURVE, beside, **panels, xaxis2={"type": "category", "anchor": "y2"})

    assert labels(layout) == ["memorised 10", "onset of<br>test loss fall 20", "generalised 900"]


def test_the_axis_lies_below_the_lowest_panel_and_marks_go_through_those_along_it():
    upper, lower = {"domain": [0.5, 1]}, {"domain": [0.1, 0.4]}
    stacked = drawn(CURVE, {**CURVE, "yaxis": "y2"}, yaxis=upper, yaxis2=lower)
    beside = {"type": "bar", "x": ["a"], "y": [1], "xaxis": "x2", "yaxis": "y2"}
    mixed = drawn(CURVE, beside, yaxis=upper, yaxis2=lower, xaxis2={"type": "category", "anchor": "y2"})

    assert stacked.xaxis.anchor == "y2"
    assert {(mark.y0, mark.y1) for mark in stacked.shapes} == {(0.1, 1)}
    assert mixed.meta["miscope"]["time_axes"] == ["x"]
    assert {(mark.xref, mark.y0, mark.y1) for mark in mixed.shapes} == {("x", 0.5, 1)}
    assert mixed.xaxis2.title.text is None


def test_marks_show_on_every_colour_of_a_heat_map_and_their_labels_where_they_lie_on_it():
    plain = {"type": "line", "x0": 0, "x1": 1, "y0": 0, "y1": 0}
    below = drawn(
        CURVE, {**HEAT, "yaxis": "y2"}, shapes=[plain], yaxis2={"domain": [0, 0.4]}, yaxis={"domain": [0.6, 1]}
    )
    on_top = drawn(HEAT, CURVE | {"yaxis": "y2"}, yaxis2={"domain": [0, 0.4]}, yaxis={"domain": [0.6, 1]})

    assert len(drawn(CURVE, shapes=[plain]).shapes) == 4
    first, light, dark = below.shapes[:3]
    assert first.line.color is None
    assert (light.line.width, light.line.dash, light.label.text) == (3, None, None)
    assert (dark.line.width, dark.line.dash, dark.label.text) == (1, "dot", "memorised 10")
    assert light.x0 == dark.x0 == 10
    assert (dark.label.font.color, on_top.shapes[1].label.font.color) == (None, "#262626")
    assert len(below.shapes) == 7


def test_a_view_with_a_time_axis_has_its_controls_and_is_not_given_them():
    plain = view(lambda shown: go.Figure(CURVE), Toggle(name="filled"))

    assert [control.name for control in replace(plain, draw=lambda shown, filled: None).all_controls] == [
        "filled",
        "clock",
        "events",
    ]
    assert view(draw, grain=Grain.COHORT).time_controls == (STEP_SCALE,)
    assert replace(plain, time_axis=None).time_controls == ()
    assert settle(plain, SHOWN, {"clock": "log"}) == {"filled": False, "clock": "log", "events": True}


@pytest.mark.parametrize(
    ("clock", "places", "marks", "title"),
    [
        ("fraction", [0, 0.01, 1], [0.01, 0.02, 0.9], "fraction of training"),
        ("since generalised", [-900, -890, 100], [-890, -880, 0], "epochs since generalised"),
    ],
)
def test_steps_of_one_training_are_laid_out_as_a_fraction_of_it_or_since_an_event(clock, places, marks, title):
    figure: Any = draw(view(lambda shown: go.Figure(CURVE)), SHOWN, {"clock": clock})

    assert figure.data[0].x.tolist() == pytest.approx(places)
    assert [mark.x0 for mark in figure.layout.shapes] == pytest.approx(marks)
    assert (figure.layout.xaxis.title.text, figure.layout.xaxis.type) == (title, None)
    told = figure.layout.meta["miscope"]
    assert [told["clock"]["zero"] + place * told["clock"]["unit"] for place in places] == pytest.approx(STEPS.tolist())


def test_a_training_without_checkpoints_is_as_long_as_what_was_recorded_of_it():
    nothing = Series(steps=STEPS[:0], values=np.ones(0))
    recorded = {"loss": Series(steps=np.array([0, 40]), values=np.ones(2)), "accuracy": nothing}
    alone = replace(SHOWN, steps=STEPS[:0], metrics=recorded)
    told = drawn(CURVE, shown=alone, turned={"clock": "fraction"}).meta["miscope"]
    assert told["clock"] == {"zero": 0.0, "unit": 40.0}


def test_what_steps_can_be_laid_out_by_depends_on_what_happened_and_is_less_for_several_variants():
    events = [f"since {event}" for event in SHOWN.events]
    assert options(STEP_SCALE, SHOWN) == ("linear", "log", "fraction", *events)
    together = replace(SHOWN, members=(Member(label="a", shown=SHOWN),))
    assert options(STEP_SCALE, together) == ("linear", "log")


def test_an_axis_that_counts_no_steps_is_not_moved():
    named = {"type": "bar", "x": ["a", "b"], "y": [1, 2]}
    layout = drawn(named, turned={"clock": "fraction"}, meta={"time_axes": []})
    assert "clock" not in layout.meta["miscope"]
    assert layout.xaxis.title.text is None


def test_a_view_that_declares_them_itself_is_given_them():
    def spread(shown: ViewData, *, clock: str) -> go.Figure:
        return go.Figure(CURVE, {"title": {"text": clock}})

    told = draw(view(spread, STEP_SCALE), SHOWN, {"clock": "log"}).layout
    assert (told.title.text, told.xaxis.type) == ("log", "log")
    assert [control.name for control in view(spread, STEP_SCALE).all_controls] == ["clock", "events"]


def test_a_view_that_marks_events_or_lays_out_steps_in_its_own_way_is_left_to_it():
    def own(shown: ViewData, *, clock: str, events: bool) -> go.Figure:
        mark = {"type": "line", "x0": 5, "x1": 5, "y0": 0, "y1": 1}
        return go.Figure(CURVE, {"shapes": [mark] if events else [], "xaxis": {"title": {"text": clock}}})

    hours = Choice(name="clock", options=("hours", "days"))
    layout = draw(view(own, hours, EVENT_MARKS), SHOWN, {}).layout

    assert [mark.x0 for mark in layout.shapes] == [5]
    assert (layout.xaxis.title.text, layout.xaxis.type) == ("hours", None)
