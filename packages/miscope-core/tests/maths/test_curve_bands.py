"""Medians of curves and bands around them, against numpy and against Gaussian quantiles."""

import numpy as np
import pytest
from scipy.stats import norm

from miscope.maths.curve_bands import medians, pointwise, redrawn_medians, simultaneous


@pytest.mark.parametrize("count", [1, 4, 5])
def test_the_median_is_that_of_what_is_known(count):
    rows = np.random.default_rng(0).random((count, 30))
    rows[0, :10] = np.nan
    rows[:, 3] = np.nan
    expected = [np.median(column[np.isfinite(column)]) if np.isfinite(column).any() else np.nan for column in rows.T]
    np.testing.assert_allclose(medians(rows), expected)


def test_a_band_around_one_point_is_the_normal_interval_and_around_50_wider_by_sidak():
    random = np.random.default_rng(0)
    for points in (1, 50):
        drawn = 3 + 0.5 * random.normal(size=(40_000, points))
        band, wide = simultaneous(drawn, np.full(points, 3.0))
        assert wide == pytest.approx(norm.ppf((1 + 0.95 ** (1 / points)) / 2), rel=0.02)
        assert (band[1] - band[0]).mean() == pytest.approx(2 * wide * 0.5, rel=0.02)


def test_each_point_alone_lies_in_its_interval():
    drawn = np.random.default_rng(1).normal(size=(20_000, 3))
    low, high = pointwise(drawn)
    assert high == pytest.approx(1.96, abs=0.05)
    assert low == pytest.approx(-1.96, abs=0.05)


def test_curves_that_are_one_have_a_band_of_no_width():
    rows = np.tile(np.linspace(0, 1, 7), (5, 1))
    drawn = redrawn_medians(rows, draws=20, seed=0)
    band, wide = simultaneous(drawn, rows[0])
    assert wide == 0
    assert band.tolist() == [rows[0].tolist()] * 2


def test_the_whole_median_lies_in_the_band_of_95_percent_nearly_as_often():
    """Of 15 curves of correlated Gaussian noise around a known one."""
    random = np.random.default_rng(2)
    truth, held = np.sin(np.linspace(0, 6, 40)), 0
    for _ in range(100):
        rows = truth + random.normal(size=(15, 1)) + 0.3 * random.normal(size=(15, 40))
        drawn = redrawn_medians(rows, draws=200, seed=0)
        (low, high), _ = simultaneous(drawn, medians(rows))
        held += bool(((low <= truth) & (truth <= high)).all())
    assert held >= 85
