"""Curves in the cells of the table: on common axes, logarithmic where values span decades, said in words too."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope_panel.shown.sparkline import Axes, sparkline

POINT = st.tuples(st.integers(0, 10**6), st.floats(-1e6, 1e6, allow_nan=False))
POINTS = st.lists(POINT, min_size=1, max_size=20, unique_by=lambda point: point[0]).map(lambda p: tuple(sorted(p)))


def path(image: str) -> list[tuple[float, float]]:
    (found,) = re.findall(r'd="M(.*?)"', image)
    return [tuple(map(float, place.split())) for place in found.split("L")]


def test_a_loss_that_falls_by_the_same_factor_in_the_same_time_is_a_straight_line():
    curve = ((0, 1.0), (50, 1e-3), (100, 1e-6))
    axes = Axes.around([curve])
    assert axes == Axes(steps=(0, 100), values=(1e-6, 1.0), logarithmic=True)
    # Down from the top edge to the bottom one; the last place twice, for a line of one point.
    assert path(sparkline([curve], axes, "test_loss")) == [(0, 2), (50, 12), (100, 22), (100, 22)]


def test_values_within_a_decade_and_those_that_are_not_positive_have_a_linear_axis():
    for values in ((1.0, 9.0), (-1.0, 1000.0), (0.0, 1000.0)):
        axes = Axes.around([tuple(enumerate(values))])
        assert axes is not None
        assert not axes.logarithmic


def test_two_rows_on_common_axes_are_as_far_apart_as_their_values():
    low, high = ((0, 0.0), (10, 0.0)), ((0, 1.0), (20, 1.0))
    axes = Axes.around([low, high])
    assert path(sparkline([low], axes, "norm"))[:2] == [(0, 22), (50, 22)]
    assert path(sparkline([high], axes, "norm"))[:2] == [(0, 2), (100, 2)]


@given(st.lists(POINTS, min_size=1, max_size=4))
def test_every_curve_lies_within_the_image(curves):
    axes = Axes.around(curves)
    assert axes is not None
    for curve in curves:
        for x, y in path(sparkline([curve], axes, "n")):
            assert -1e-6 <= x <= 100.001
            assert 1.999 <= y <= 22.001


def test_what_is_drawn_is_said_too():
    curve = ((0, 2.5), (600, 3.1e-6))
    axes = Axes.around([curve])
    said = "test_loss from 2.5 at 0 to 3.1e-06 at 600, logarithmic"
    image = sparkline([curve], axes, "test_loss")
    assert f'role="img" aria-label="{said}"' in image
    assert f"<title>{said}</title>" in image
    together = sparkline([curve, (), curve], axes, "a<b")
    assert "<title>a&lt;b of 2 variants, 0 to 600, logarithmic</title>" in together
    assert together.count("<path") == 2


def test_where_there_is_nothing_nothing_is_drawn():
    assert Axes.around([(), ()]) is None
    axes = Axes.around([((0, 1.0),)])
    assert axes is not None
    assert sparkline([()], axes, "n") == ""


@pytest.mark.parametrize("value", [5e-324, 1.7e308])
def test_the_ends_of_floating_point_have_a_place(value):
    axes = Axes.around([((0, value), (1, 1.0))])
    assert axes is not None
    assert {y for _, y in path(sparkline([((0, value), (1, 1.0))], axes, "n"))} == {2, 22}
