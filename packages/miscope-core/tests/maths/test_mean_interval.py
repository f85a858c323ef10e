"""Means with intervals that do not reach where no value can."""

import numpy as np
import pytest
from scipy.stats import binomtest, t

from miscope.maths.mean_interval import mean_interval, wilson


def test_of_numbers_that_can_be_anything_it_is_students():
    values = np.array([1.0, 2.0, 6.0])
    reach = t.ppf(0.975, 2) * values.std(ddof=1) / np.sqrt(3)
    assert mean_interval(values, "any") == pytest.approx([3, 3 - reach, 3 + reach])


def test_of_positive_numbers_it_is_that_of_the_logarithm():
    values = np.array([1.0, 10.0, 1000.0])
    assert mean_interval(values, "positive") == pytest.approx(np.exp(mean_interval(np.log(values), "any")))
    assert np.isnan(mean_interval(np.array([0.0, 1.0, 2.0]), "positive")).all()


def test_of_shares_it_is_within_0_and_1_at_both_ends_too():
    random = np.random.default_rng(0)
    shares = np.concatenate([random.beta(0.3, 0.3, size=(4, 200)), np.repeat([[0.0], [1.0]], 200, axis=1)])
    middle, low, high = mean_interval(shares, "share")
    assert ((low >= 0) & (low < middle) & (middle < high) & (high <= 1)).all()


def test_of_two_or_of_the_same_there_is_none():
    assert np.isnan(mean_interval(np.array([0.2, 0.4]), "share")).tolist() == [False, True, True]
    assert np.isnan(mean_interval(np.array([0.4, 0.4, 0.4]), "share")).tolist() == [False, True, True]


def test_the_interval_of_a_share_holds_the_mean_as_often_as_it_says():
    random = np.random.default_rng(0)
    shares = random.binomial(50, 0.9, size=(5, 2000)) / 50
    _, low, high = mean_interval(shares, "share")
    assert np.mean((low <= 0.9) & (high >= 0.9)) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(("right", "count"), [(0, 5), (5, 5), (1, 7), (300, 400)])
def test_wilsons_interval_is_that_of_scipy(right: int, count: int):
    known = binomtest(right, count).proportion_ci(method="wilson")
    found = wilson(np.array([right / count]), np.array([count]))[:, 0]
    assert found == pytest.approx([known.low, known.high], abs=1e-4)
