from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views.figures import clock_axis, event_marks, figure, line, panels, thin, title

SHOWN = ViewData(
    variant=make_variant(ToyFamily(), {}),
    step=None,
    steps=np.array([0, 10, 1000]),
    step_label="epoch",
    events={"memorised": 10.0, "onset": 20.0, "half": 300.0, "generalised": 900.0},
)


@settings(deadline=None)
@given(n=st.integers(1, 3000), spike=st.integers(0, 2999), seed=st.integers(0, 5))
def test_a_thinned_curve_keeps_its_ends_and_every_spike(n: int, spike: int, seed: int):
    y = np.random.default_rng(seed).normal(size=n)
    y[spike % n] = 100.0

    x, kept = thin(np.arange(n), y, most=300)

    assert len(x) <= 302
    assert (x[0], x[-1]) == (0, n - 1)
    assert (np.diff(x) > 0).all()
    assert kept.max() == 100.0
    np.testing.assert_array_equal(kept, y[x])


def test_a_short_curve_is_not_thinned():
    x, y = thin(np.arange(5), np.ones(5))
    assert len(x) == len(y) == 5


def test_values_that_are_not_finite_are_counted_not_hidden():
    y = np.array([1.0, np.nan, np.inf, 2.0])

    shown = figure([line(np.arange(4), y, "loss", "#000000")], {})

    assert shown.layout.annotations[0].text == "⚠ 2 of 4 values are not finite and not drawn"
    assert not figure([line(np.arange(4), np.ones(4), "loss", "#000000")], {}).layout.annotations
    assert not figure([{"type": "heatmap", "z": np.full((2, 2), np.nan)}], {}, gaps=4).layout.annotations


def test_arrays_travel_as_short_numbers():
    made = figure([{"type": "heatmap", "z": np.ones((2, 2)), "customdata": np.ones((2, 2), dtype=np.int64)}], {})

    assert made.data[0].z.dtype == np.float32
    assert made.data[0].customdata.dtype == np.int32


def test_a_title_says_what_is_shown_and_when():
    assert title(replace(SHOWN, step=1000), "Loss", "note")["subtitle"]["text"] == (
        "toy.sum/v5-seed0-width16 · epoch 1,000 · note"
    )


def test_marks_stand_at_the_main_events_and_close_labels_do_not_meet():
    marks = event_marks(SHOWN, True)

    assert [mark["label"]["text"] for mark in marks] == ["memorised 10", "onset of generalising 20", "generalised 900"]
    assert [mark["x0"] for mark in marks] == [10, 20, 900]
    assert [mark["label"]["textposition"] for mark in marks] == ["end", "start", "end"]
    assert event_marks(SHOWN, False) == []


def test_labels_do_not_meet_where_there_are_no_checkpoints():
    alone = replace(SHOWN, steps=np.array([], dtype=np.int64), events={"memorised": 200.0, "onset": 200.0})
    assert [mark["label"]["textposition"] for mark in event_marks(alone, True)] == ["end", "start"]


def test_marks_show_on_every_colour_of_a_heat_map_and_their_labels_where_they_lie_on_it():
    heat = {"type": "heatmap", "z": np.ones((2, 2)), "yaxis": "y2"}
    marks = event_marks(SHOWN, True)
    plain = {"type": "line", "x0": 0, "x1": 1, "y0": 0, "y1": 0}

    on_paper = figure([line(np.arange(2), np.ones(2), "", "#000000")], {"shapes": [*marks, plain]})
    below = figure([heat], {"shapes": [*marks, plain], "yaxis2": {"domain": [0, 0.4]}})
    on_top = figure([heat], {"shapes": [*marks, plain], "yaxis2": {"domain": [0.6, 1.0]}})

    assert len(on_paper.layout.shapes) == 4
    light, dark = below.layout.shapes[:2]
    assert (light.line.width, light.line.dash, light.label.text) == (3, None, None)
    assert (dark.line.width, dark.line.dash, dark.label.text) == (1, "dot", "memorised 10")
    assert light.x0 == dark.x0 == 10
    assert (dark.label.font.color, on_top.layout.shapes[1].label.font.color) == (None, "#262626")
    assert len(below.layout.shapes) == 7
    assert below.layout.shapes[-1].line.color is None


def test_a_logarithmic_clock_says_that_step_0_is_missing():
    assert clock_axis(SHOWN, "log")["title"]["text"] == "epoch (log; 0 is not shown)"
    assert clock_axis(SHOWN, "linear")["title"]["text"] == "epoch"


def test_panels_fill_the_figure_from_the_top():
    upper, lower = panels((1, 3), gap=0.2)

    assert upper == pytest.approx([0.8, 1.0])
    assert lower == pytest.approx([0.0, 0.6])


def test_a_colour_scale_that_is_given_is_the_one_that_is_drawn():
    heat = {"type": "heatmap", "z": np.ones((2, 2)), "coloraxis": "coloraxis"}
    blue = figure([heat], {"coloraxis": {"colorscale": "Blues"}})
    assert blue.layout.coloraxis.autocolorscale is False
    assert figure([heat], {"coloraxis": {"cmin": 0}}).layout.coloraxis.autocolorscale is None


def test_below_a_title_a_long_note_takes_the_room_of_the_familys_name():
    shown = ViewData(variant=make_variant(ToyFamily(), {}), step=None, steps=np.arange(3))
    slug = shown.variant.slug
    assert title(shown, "Losses", "short")["subtitle"]["text"] == f"toy.sum/{slug} · short"
    assert title(shown, "Losses", "x" * 90)["subtitle"]["text"] == f"{slug} · {'x' * 90}"


def test_a_curve_of_one_checkpoint_is_a_dot():
    assert line(np.array([300]), np.array([1.0]), "loss", "#000000")["mode"] == "lines+markers"
    assert line(np.arange(2), np.ones(2), "loss", "#000000")["mode"] == "lines"
