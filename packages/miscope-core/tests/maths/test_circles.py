"""Circles, lines and noise, against closed forms and a shuffle."""

from dataclasses import replace

import numpy as np
import pytest

from miscope.basis import Block
from miscope.maths.circles import circle_fit, planes, shuffled
from miscope.testing.toy import cosines

ANGLES = 2 * np.pi * np.arange(29) / 29


def ellipse(k, minor=1.0):
    return np.column_stack([np.cos(k * ANGLES), minor * np.sin(k * ANGLES)])


def test_a_circle_at_one_frequency_is_found_whole_and_round():
    fitted = planes(ellipse(3), cosines(29))

    assert fitted.share[2] == pytest.approx(1.0)
    assert fitted.axis_ratio[2] == pytest.approx(1.0)
    assert fitted.angular[2] == pytest.approx(1.0)
    np.testing.assert_allclose(fitted.coordinates[2], ellipse(3), atol=1e-12)


@pytest.mark.parametrize("minor", [0.5, 0.01])
def test_an_ellipse_has_the_ratio_of_its_axes_and_tells_the_angle_still(minor):
    fitted = planes(ellipse(3, minor), cosines(29))

    assert fitted.axis_ratio[2] == pytest.approx(minor)
    assert fitted.angular[2] == pytest.approx(1.0)


def test_a_line_has_no_second_axis_and_no_angle():
    fitted = planes(ellipse(3, 0.0), cosines(29))

    assert fitted.axis_ratio[2] == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(fitted.angular[2])


def test_circles_in_different_planes_are_told_apart():
    points = np.concatenate([3 * ellipse(2), ellipse(5)], axis=1)
    fitted = planes(points, cosines(29))

    assert fitted.share[[1, 4]] == pytest.approx([0.9, 0.1])
    assert fitted.axis_ratio[[1, 4]] == pytest.approx([1.0, 1.0])
    assert fitted.angular[[1, 4]] == pytest.approx([1.0, 1.0])


def test_a_turned_circle_tells_the_angle_as_well():
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))
    fitted = planes(np.pad(ellipse(3), ((0, 0), (0, 4))) @ turn, cosines(29))

    assert fitted.angular[2] == pytest.approx(1.0)


def test_a_block_of_four_functions_has_two_widest_directions_and_no_plane():
    waves = cosines(29)
    merged = (waves.blocks[0], Block("1 and 2", (1, 2, 3, 4)), *waves.blocks[3:])
    points = np.concatenate([3 * ellipse(1), ellipse(2)], axis=1)
    fitted = planes(points, replace(waves, blocks=merged))

    assert fitted.share[0] == pytest.approx(1.0)
    assert fitted.held[0] == pytest.approx(0.9)
    assert np.isnan([fitted.axis_ratio[0], fitted.angular[0]]).all()
    np.testing.assert_allclose(np.linalg.norm(fitted.coordinates[0], axis=1), np.full(29, 3.0), rtol=1e-12)


def test_of_one_function_there_is_no_ellipse():
    from miscope.basis import Basis, Block

    walsh = Basis(
        name="walsh",
        unit="degree",
        rows=np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2),
        blocks=(Block("const", (0,)), Block("1", (1,))),
    )
    fitted = planes(np.array([[1.0, 2.0], [-1.0, -2.0]]), walsh)

    assert fitted.share == pytest.approx([1.0])
    assert np.isnan(fitted.axis_ratio).all()
    assert fitted.coordinates.shape == (1, 2, 2)


def test_a_circle_that_is_off_centre_is_fitted_exactly():
    fit = circle_fit(2 * ellipse(1) + [3, -4])

    assert fit.circularity == pytest.approx(1.0)
    assert fit.centre == pytest.approx([3, -4])
    assert fit.radius == pytest.approx(2.0)


def test_an_arc_has_its_circles_centre():
    fit = circle_fit(5 * ellipse(1)[:9])

    assert fit.centre == pytest.approx([0, 0], abs=1e-9)
    assert fit.radius == pytest.approx(5.0)


@pytest.mark.parametrize("points", [ellipse(1, 0.0), np.zeros((29, 2))], ids=["a line", "one point"])
def test_what_is_no_circle_scores_nothing(points):
    assert circle_fit(points).circularity == pytest.approx(0.0, abs=1e-9)


def test_a_circle_beats_its_shuffles_and_noise_does_not():
    noise = np.random.default_rng(1).normal(size=(113, 2))

    assert (shuffled(ellipse(1), draws=200, seed=0) < 0.99).all()
    assert 0.025 < (shuffled(noise, draws=400, seed=0) < circle_fit(noise).circularity).mean() < 0.975


def test_the_same_seed_gives_the_same_shuffles():
    first, second = (shuffled(ellipse(1), draws=5, seed=3) for _ in range(2))
    assert first.tolist() == second.tolist()
