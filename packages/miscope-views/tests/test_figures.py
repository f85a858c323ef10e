from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope import ViewData
from miscope.family import make_variant
from miscope.testing import ToyFamily
from miscope_views.figures import figure, line, panels, thin, title

SHOWN = ViewData(
    variant=make_variant(ToyFamily(), {}),
    step=None,
    steps=np.array([0, 10, 1000]),
    step_label="epoch",
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


def test_a_thinned_curve_says_so_beside_what_it_says_already():
    curve = partial(line, name="loss", colour="#000000", meta={"selects": {}})
    assert curve(np.arange(9000), np.zeros(9000))["meta"] == {"selects": {}, "thinned": True}
    assert curve(np.arange(9), np.zeros(9))["meta"] == {"selects": {}}


def test_a_short_curve_is_not_thinned():
    x, y = thin(np.arange(5), np.ones(5))
    assert len(x) == len(y) == 5


def test_values_that_are_not_finite_are_counted_not_hidden():
    y = np.array([1.0, np.nan, np.inf, 2.0])

    shown = figure([line(np.arange(4), y, "loss", "#000000")], {})

    assert shown.layout.annotations[0].text == "⚠ 2 of 4 values are not finite and not drawn"
    assert not figure([line(np.arange(4), np.ones(4), "loss", "#000000")], {}).layout.annotations
    assert not figure([{"type": "heatmap", "z": np.full((2, 2), np.nan)}], {}, gaps=4).layout.annotations


def test_a_square_map_that_is_alone_stands_beside_its_colour_bar():
    axes = {"xaxis": {"constrain": "domain"}, "yaxis": {"scaleanchor": "x", "constrain": "domain"}}
    heat = {"type": "heatmap", "z": np.eye(2), "coloraxis": "coloraxis"}
    toward = [
        figure([heat], {**axes, **more}).layout.xaxis.constraintoward
        for more in (
            {"coloraxis": {"cmin": 0}},
            {"coloraxis": {"showscale": False}},
            {"coloraxis": {"cmin": 0}, "xaxis2": {}, "yaxis2": {}},
        )
    ]
    assert toward == ["right", None, None]


def test_arrays_travel_as_short_numbers():
    made = figure([{"type": "heatmap", "z": np.ones((2, 2)), "customdata": np.ones((2, 2), dtype=np.int64)}], {})

    assert made.data[0].z.dtype == np.float32
    assert made.data[0].customdata.dtype == np.int32


def test_a_title_says_what_is_shown_and_when():
    assert title(replace(SHOWN, step=1000), "Loss", "note")["subtitle"]["text"] == (
        "toy.sum/v5-seed0-width16 · epoch 1,000 · note"
    )


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


def test_a_curve_of_few_checkpoints_has_a_mark_at_each():
    modes = {n: line(np.arange(n), np.ones(n), "loss", "#000000")["mode"] for n in (1, 3, 8, 9)}
    assert modes == {1: "lines+markers", 3: "lines+markers", 8: "lines+markers", 9: "lines"}


def test_what_is_told_of_the_points_of_a_curve_is_thinned_with_them():
    steps = np.arange(20_000)
    curve = line(steps, np.sin(steps), "a", "#000000", customdata=np.stack([steps, -steps], axis=1))
    assert len(curve["x"]) < len(steps)
    np.testing.assert_array_equal(curve["customdata"], np.stack([curve["x"], -curve["x"]], axis=1))
