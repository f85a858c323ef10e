"""Clouds of classes, against closed forms."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from miscope.maths.class_geometry import clouds, collapse, dimensions, fisher, leading, simplex_deviation


def two_clouds(width=1.0):
    """Two classes 10 apart, each of two points `width` to either side."""
    units = torch.tensor([[-5.0, width], [-5.0, -width], [5.0, width], [5.0, -width]])
    return clouds(units, np.array([0, 0, 1, 1]))


def test_two_clouds_by_hand():
    seen = two_clouds(2.0)

    assert seen.centroids.tolist() == [[-5.0, 0.0], [5.0, 0.0]]
    assert seen.radii.tolist() == [2.0, 2.0]
    assert (seen.between, seen.within) == (25.0, 4.0)
    assert fisher(seen)[0, 1] == pytest.approx(100 / 8)
    assert np.isnan(fisher(seen)).sum() == 2
    assert dimensions(seen).tolist() == [1.0, 1.0]


def test_points_have_no_fisher_ratio_and_no_dimension():
    assert np.isnan(fisher(two_clouds(0.0))).all()
    assert np.isnan(dimensions(two_clouds(0.0))).all()


def test_variability_across_the_direction_in_which_classes_differ_is_no_obstacle_to_collapse():
    assert collapse(two_clouds(3.0), tolerance=1e-4) == pytest.approx(0.0, abs=1e-12)


def test_variability_along_it_is():
    units = torch.tensor([[-6.0], [-4.0], [4.0], [6.0]])
    seen = clouds(units, np.array([0, 0, 1, 1]))

    assert collapse(seen, tolerance=1e-4) == pytest.approx(1 / 25 / 2)


def test_means_that_are_all_alike_have_no_collapse():
    seen = clouds(torch.tensor([[-1.0], [1.0], [-1.0], [1.0]]), np.array([0, 0, 1, 1]))

    assert np.isnan(collapse(seen, tolerance=1e-4))
    assert np.isnan(simplex_deviation(seen.centroids)).all()


def test_the_corners_of_a_simplex_deviate_by_nothing():
    corners = np.eye(7) - 1 / 7

    assert simplex_deviation(3 * corners) == (pytest.approx(0.0, abs=1e-12), pytest.approx(0.0, abs=1e-12))


def test_a_circle_of_classes_is_no_simplex():
    angles = 2 * np.pi * np.arange(4) / 4
    angle, length = simplex_deviation(np.column_stack([np.cos(angles), np.sin(angles)]))

    assert angle == pytest.approx((4 * (1 / 3) + 2 * (2 / 3)) / 6)
    assert length == pytest.approx(0.0, abs=1e-12)


def test_axes_are_led_by_the_widest_and_padded_where_there_are_none():
    scores, share = leading(np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), 4)

    assert scores.shape == (4, 4)
    assert share == pytest.approx([0.9, 0.1, 0.0, 0.0])
    assert np.abs(scores).max(axis=0) == pytest.approx([3, 1, 0, 0])


@given(seed=st.integers(0, 2**16), scale=st.floats(0.1, 10))
@settings(max_examples=20, deadline=None)
def test_nothing_but_lengths_depends_on_scale_rotation_or_order(seed, scale):
    generator = np.random.default_rng(seed)
    units, classes = generator.normal(size=(60, 5)), np.repeat(np.arange(6), 10)
    units += 3 * generator.normal(size=(6, 5))[classes]
    turn, _ = np.linalg.qr(generator.normal(size=(5, 5)))
    order = generator.permutation(60)
    one = clouds(torch.from_numpy(units), classes)
    other = clouds(torch.from_numpy(scale * units[order] @ turn + 7), classes[order])

    assert other.between == pytest.approx(scale**2 * one.between)
    np.testing.assert_allclose(fisher(other), fisher(one), rtol=1e-6)
    assert collapse(other, tolerance=1e-4) == pytest.approx(collapse(one, tolerance=1e-4), rel=1e-4)
    assert simplex_deviation(other.centroids) == pytest.approx(simplex_deviation(one.centroids))
