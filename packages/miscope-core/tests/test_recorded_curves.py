"""Curves of very many records: how many are drawn, all of them about a zoom, and smoothed before any is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from miscope import Grain, Needs, View, ViewData
from miscope.family import make_variant
from miscope.figures.render import draw
from miscope.figures.smoothing import running_median
from miscope.snapshot import Series
from miscope.testing import ToyFamily
from miscope.view import Member

RECORDS = 25_000
LOSS = Series(steps=np.arange(RECORDS), values=np.where(np.arange(RECORDS) < 12_000, 2.0, 0.1))
SPIKED = Series(steps=LOSS.steps, values=LOSS.values + 5 * (LOSS.steps % 1000 == 500))


def shown(series: Series) -> ViewData:
    return ViewData(
        variant=make_variant(ToyFamily(), {}), step=None, steps=np.array([0, 20_000]), metrics={"loss": series}
    )


def curve(shown: ViewData) -> go.Figure:
    """Every tenth record where there are more than a screen shows."""
    series = shown.metrics["loss"]
    kept = slice(None, None, 10) if len(series.steps) > 4000 else slice(None)
    steps = np.append(series.steps[kept], series.steps[-1])
    values = np.append(series.values[kept], series.values[-1])
    return go.Figure({"type": "scatter", "mode": "lines", "name": "train", "x": steps, "y": values})


VIEW = View(
    name="test.loss", title="Loss", grain=Grain.TRAJECTORY, draw=curve, needs=Needs(metrics=("loss",)), time_axis="x"
)


def drawn(series: Series, **more: Any) -> Any:
    return draw(VIEW, shown(series), more.pop("controls", {}), **more)


def test_a_figure_says_how_many_of_very_many_records_it_draws():
    assert drawn(LOSS).layout.title.subtitle.text == "2,501 of 25,000 points"
    few = Series(steps=LOSS.steps[:100], values=LOSS.values[:100])
    assert drawn(few).layout.title.subtitle.text is None


def test_about_a_zoom_every_record_is_drawn_as_far_beside_it_as_it_is_wide():
    figure = drawn(LOSS, between=(11_500.0, 12_500.0))
    assert (figure.data[0].x[0], figure.data[0].x[-2], len(figure.data[0].x)) == (10_499, 13_501, 3004)
    assert figure.layout.title.subtitle.text is None


def test_a_zoom_to_where_nothing_was_recorded_leaves_the_curve_as_it_is():
    figure = drawn(LOSS, between=(30_000.0, 40_000.0))
    assert (figure.data[0].x[0], figure.data[0].x[-1], len(figure.data[0].x)) == (0, 24_999, 2501)


def test_a_zoom_leaves_short_curves_and_compared_ones_alike():
    few = Series(steps=LOSS.steps[:100], values=LOSS.values[:100])
    assert len(drawn(few, between=(10.0, 20.0)).data[0].x) == 101
    lengths = []

    def count(shown: ViewData) -> go.Figure:
        lengths.extend(len(member.shown.metrics["loss"].steps) for member in shown.members)
        return go.Figure()

    two = ViewData(
        variant=shown(LOSS).variant,
        step=None,
        steps=np.array([0]),
        members=(Member(label="a", shown=shown(LOSS)), Member(label="b", shown=shown(few))),
    )
    compared = View(name="test.two", title="Two", grain=Grain.COHORT, draw=count, needs=VIEW.needs, time_axis="x")
    draw(compared, two, {}, between=(100.0, 200.0))
    assert lengths == [302, 100]


def test_smoothing_takes_all_records_and_leaves_what_was_recorded_faint_behind():
    figure = drawn(SPIKED, controls={"smoothing": "101"})
    raw, smooth = figure.data
    assert (raw.name, raw.opacity, raw.hoverinfo, raw.showlegend) == ("train, as recorded", 0.25, "skip", False)
    assert (smooth.name, smooth.opacity) == ("train", None)
    assert set(smooth.y.tolist()) == {2.0, 0.1}
    # The fall is where it was, to the record.
    assert np.array_equal(smooth.y < 1, smooth.x >= 12_000)
    near = drawn(SPIKED, controls={"smoothing": "101"}, between=(11_400.0, 12_600.0)).data[1]
    assert np.array_equal(near.y < 1, near.x >= 12_000)


def test_where_smoothing_changes_nothing_nothing_is_added():
    assert len(drawn(LOSS, controls={"smoothing": "11"}).data) == 1
    assert len(drawn(SPIKED).data) == 1


@pytest.mark.parametrize(
    ("values", "records", "expected"),
    [
        ([1.0, 9.0, 2.0, 3.0, 4.0], 3, [1.0, 2.0, 3.0, 3.0, 4.0]),
        ([1.0, 9.0, 2.0], 11, [1.0, 2.0, 2.0]),
        ([1.0, 2.0], 11, [1.0, 2.0]),
        ([1.0, np.nan, 9.0, 2.0, 3.0], 3, [1.0, np.nan, 2.0, 3.0, 3.0]),
    ],
    ids=["three", "more than there are", "too few", "what is not finite"],
)
def test_each_value_becomes_the_median_of_those_around_it(values, records, expected):
    np.testing.assert_array_equal(running_median(np.array(values), records), expected)


def test_views_of_what_was_recorded_can_be_smoothed_and_no_others():
    assert [control.name for control in VIEW.time_controls] == ["clock", "events", "smoothing"]
    plain = View(name="test.plain", title="T", grain=Grain.TRAJECTORY, draw=curve, time_axis="x")
    assert [control.name for control in plain.time_controls] == ["clock", "events"]


def test_a_zoom_cuts_nothing_of_a_figure_whose_axes_count_no_steps():
    lengths = []

    def by_fraction(shown: ViewData) -> go.Figure:
        series = shown.metrics["loss"]
        lengths.append(len(series.steps))
        figure = go.Figure(go.Scatter(x=series.steps / series.steps[-1], y=series.values))
        return figure.update_layout(meta={"time_axes": [], "aligned": {"axes": ["x"], "by": "fraction"}})

    view = View(
        name="test.fraction", title="F", grain=Grain.TRAJECTORY, draw=by_fraction, needs=VIEW.needs, time_axis="x"
    )
    figure = draw(view, shown(LOSS), {}, between=(100.0, 500.0))
    assert (lengths[-1], figure.data[0].x[-1]) == (RECORDS, 1.0)
    assert figure.layout.meta["miscope"]["time_axes"] == []
