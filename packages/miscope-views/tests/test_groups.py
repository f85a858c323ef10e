from __future__ import annotations

import numpy as np
import pytest

from miscope import ViewData
from miscope.family import make_variant
from miscope.figures.figure_style import colour_of
from miscope.testing import ToyFamily
from miscope_views.groups import curvature, geometry, paths

STEPS = np.array([0, 10, 20, 30])
ARRAYS = {
    "s/group": np.array(["11", "5"]),
    "s/spread": np.arange(8.0).reshape(4, 2),
    "s/shares": np.full((4, 2, 3), 0.25),
    "s/null_rows": np.array([0, 3]),
    "s/null": np.array([[[0.1, 0.2]] * 2, [[0.2, 0.3]] * 2, [[0.3, 0.4]] * 2]),
    "s/separation": np.array([1.0, 2, 3, 4]),
    "s/member": np.array([0, 0, 1, -1]),
    "s/captured": np.full((4, 2), 0.75),
    "s/tracks": np.arange(32, dtype=np.float16).reshape(4, 4, 2),
    "s/explained": np.array([[0.6, 0.3], [0.5, 0.4]]),
    "s/turning": np.array([[np.pi / 2, np.nan], [np.pi, np.nan]]),
}
SHOWN = ViewData(
    variant=make_variant(ToyFamily(), {}),
    step=None,
    steps=STEPS,
    step_label="epoch",
    artifacts={"groups.geometry": ARRAYS},
)


def test_each_group_has_the_colour_of_its_component_above_how_far_apart_they_are():
    first, second, apart = geometry(SHOWN, site="s", quantity="spread").data

    assert [first.name, second.name] == ["11", "5"]
    assert first.line.color == colour_of("11")
    assert list(second.y) == [1, 3, 5, 7]
    assert (apart.yaxis, list(apart.y)) == ("y2", [1, 2, 3, 4])


def test_components_stand_beside_those_of_shuffled_groups():
    low, high, first, *_ = geometry(SHOWN, site="s", quantity="components").data

    assert (list(low.x), list(low.y)) == ([0, 30], pytest.approx([0.1, 0.1]))
    assert list(high.y) == pytest.approx([0.4, 0.4])
    assert list(first.y) == [0.5] * 4


def test_one_group_has_nothing_to_be_apart_from():
    one = ARRAYS | {"s/group": np.array(["11"]), "s/separation": np.full(4, np.nan)}
    shown = ViewData(variant=SHOWN.variant, step=None, steps=STEPS, artifacts={"groups.geometry": one})
    figure = geometry(shown, site="s", quantity="spread")

    assert len(figure.data) == 1
    assert "there is one group only" in figure.layout.title.subtitle.text


def test_neurons_leave_paths_from_ring_to_dot_with_a_gap_between_two():
    figure = paths(SHOWN, site="s", group="11")
    thread, start, end = figure.data

    assert list(thread.x[:4]) == [0, 8, 16, 24]
    assert np.isnan(thread.x[4])
    assert list(thread.x[5:9]) == [2, 10, 18, 26]
    assert (list(start.y), list(end.y)) == ([1, 3], [25, 27])
    assert not figure.layout.annotations
    assert list(paths(SHOWN, site="s", group="5").data[1].customdata) == [2]


def test_a_group_that_stands_still_is_left_out():
    figure = curvature(SHOWN, site="s")

    assert [trace.name for trace in figure.data] == ["11"]
    assert list(figure.data[0].y) == pytest.approx([90, 180])
    assert list(figure.data[0].x) == [10, 20]
