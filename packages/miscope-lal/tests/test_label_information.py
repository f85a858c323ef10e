"""Information between labellings: by hand, by every permutation, and against chance."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from miscope_lal.label_information import (
    adjusted_information,
    entropy_of_counts,
    information,
    information_p_value,
    shuffled_information,
)

FIRST = np.array([0, 0, 0, 1, 1, 2, 2])
SECOND = np.array([5, 5, 7, 7, 7, 9, 5])


def test_a_labelling_says_all_of_itself_and_nothing_of_one_it_is_crossed_with():
    crossed = np.repeat(np.arange(4), 6), np.tile(np.arange(6), 4)
    assert information(crossed[0], 10 - crossed[0]) == pytest.approx(np.log(4))
    assert information(*crossed) == pytest.approx(0, abs=1e-12)
    assert entropy_of_counts(np.array([2, 0, 2])) == pytest.approx(np.log(2))


def test_information_by_hand():
    table = {(0, 5): 2, (0, 7): 1, (1, 7): 2, (2, 9): 1, (2, 5): 1}
    rows, columns = {0: 3, 1: 2, 2: 2}, {5: 3, 7: 3, 9: 1}
    expected = sum(n / 7 * np.log(7 * n / (rows[i] * columns[j])) for (i, j), n in table.items())
    assert information(FIRST, SECOND) == pytest.approx(expected)


def test_what_is_taken_off_is_the_mean_over_every_way_of_dealing_out_the_labels():
    dealt = [information(FIRST, SECOND[list(order)]) for order in permutations(range(7))]
    expected, now = float(np.mean(dealt)), information(FIRST, SECOND)
    most = (entropy_of_counts(np.array([3, 2, 2])) + entropy_of_counts(np.array([3, 3, 1]))) / 2
    assert adjusted_information(FIRST, SECOND) == pytest.approx((now - expected) / (most - expected))


def test_the_same_groups_agree_wholly_and_unrelated_ones_not_at_all():
    random = np.random.default_rng(0)
    one, two = random.integers(4, size=(2, 5000))
    assert adjusted_information(one, 7 - one) == pytest.approx(1)
    assert abs(adjusted_information(one, two)) < 0.005
    assert np.isnan(adjusted_information(np.zeros(5), np.zeros(5)))
    assert np.isnan(adjusted_information(np.arange(5), np.arange(5)))


def test_the_null_of_shuffled_labels_has_the_expected_mean_and_is_drawn_alike_every_time():
    random = np.random.default_rng(1)
    one, two = random.integers(3, size=300), random.integers(5, size=300)
    null = shuffled_information(one, two, draws=200, seed=4)
    assert np.array_equal(null, shuffled_information(one, two, draws=200, seed=4))
    assert null.mean() == pytest.approx(2 * 4 / (2 * 300), rel=0.15)
    assert information_p_value(one, one % 2) < 1e-12
    assert 0.001 < information_p_value(one, two) <= 1
    assert np.isnan(information_p_value(one, np.zeros(300)))
