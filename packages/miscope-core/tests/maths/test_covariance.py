"""Dimensions of clouds whose covariance is known."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from miscope.maths.covariance import between_classes, centred_gram, dimensions


def gaussian(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(st.integers(1, 12), st.floats(0.1, 10))
def test_equal_variance_in_so_many_directions_is_that_many_dimensions(d, scale):
    measured = dimensions(scale * torch.eye(d, dtype=torch.float64))
    assert measured.participation_ratio == pytest.approx(d)
    assert measured.holding(0.99) == d


def test_a_circle_has_two_dimensions_wherever_it_lies_and_however_it_is_turned():
    angle = 2 * np.pi * torch.arange(113, dtype=torch.float64) / 113
    turn = torch.linalg.qr(gaussian(7, 7)).Q
    circle = torch.stack([angle.cos(), angle.sin()], dim=1) @ turn[:2] + 5
    measured = dimensions(centred_gram(circle))
    assert measured.participation_ratio == pytest.approx(2, rel=1e-9)
    assert (measured.holding(0.9), measured.holding(0.99)) == (2, 2)
    assert measured.variance == pytest.approx(1)


def test_a_gaussian_sample_has_fewer_dimensions_than_its_space_by_the_known_factor():
    # E tr(S)^2 / E |S|^2 of a Wishart matrix: N d / (N + d + 1).
    measured = dimensions(centred_gram(gaussian(113, 128)))
    assert measured.participation_ratio == pytest.approx(113 * 128 / (113 + 128 + 1), rel=0.03)


def test_constant_activations_have_no_dimension():
    measured = dimensions(centred_gram(torch.ones(10, 3)))
    assert (measured.participation_ratio, measured.holding(0.9)) == (0, 0)


def test_points_that_are_their_classes_means_lie_between_classes_entirely():
    classes = torch.arange(5).repeat(4)
    points = gaussian(5, 3)[classes]
    torch.testing.assert_close(between_classes(points, classes), centred_gram(points))


def test_random_classes_explain_the_share_expected_of_them():
    points, classes = gaussian(2000, 20), torch.arange(2000) % 50
    share = between_classes(points, classes).trace() / centred_gram(points).trace()
    assert float(share) == pytest.approx(49 / 1999, rel=0.1)
