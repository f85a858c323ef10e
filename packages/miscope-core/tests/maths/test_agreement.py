"""Overlaps, groupings and distances, against closed forms."""

import numpy as np
import pytest

from miscope.maths.agreement import (
    adjusted_rand,
    largest_overlaps,
    mean_over_pairs,
    null_overlaps,
    overlaps,
    random_sets,
    relative_distances,
    resampled_mean,
)


def test_sets_share_what_is_in_both():
    sets = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]], dtype=bool)

    assert overlaps(sets).tolist() == [[2, 1, 0], [1, 2, 0], [0, 0, 1]]
    assert mean_over_pairs(overlaps(sets)) == pytest.approx(1 / 3)


def test_random_sets_share_the_product_of_their_sizes_over_the_number_of_elements():
    sets = np.zeros((2, 56), dtype=bool)
    sets[:, :5] = True
    null = null_overlaps(sets, draws=20_000, seed=0)

    assert null.mean() == pytest.approx(5 * 5 / 56, abs=0.015)
    # Hypergeometric: 5 * 5/56 * 51/56 * 51/55.
    assert null.var() == pytest.approx(25 / 56 * 51 / 56 * 51 / 55, rel=0.05)


def test_of_several_random_sets_the_mean_over_pairs_is_the_same():
    sets = np.zeros((6, 20), dtype=bool)
    sets[:, :4] = True
    assert null_overlaps(sets, draws=4000, seed=1).mean() == pytest.approx(0.8, abs=0.02)


def test_random_sets_keep_their_number_in_every_orbit():
    sets = np.array([[1, 1, 0, 0, 0, 1], [0, 0, 1, 0, 0, 1]], dtype=bool)
    orbit = np.array([0, 0, 0, 0, 0, 5])
    mixed = random_sets(sets, draws=500, seed=0, orbit=orbit)

    assert mixed[..., 5].all(), "an element alone in its orbit is in every set that had it"
    assert (mixed[..., :5].sum(axis=-1) == [2, 1]).all()
    # 1 for the fixed element, and 2 x 1 / 5 for the others.
    assert null_overlaps(sets, draws=20_000, seed=0, orbit=orbit).mean() == pytest.approx(1.4, abs=0.02)


def test_sets_share_most_under_the_best_relabelling():
    turns = np.array([(np.arange(5) + turn) % 5 for turn in range(5)])
    sets = np.array([[1, 1, 0, 0, 0], [0, 0, 0, 1, 1], [1, 0, 1, 0, 0]], dtype=bool)

    assert overlaps(sets)[0].tolist() == [2, 0, 1]
    assert largest_overlaps(sets, turns).tolist() == [[2, 2, 1], [2, 2, 1], [1, 1, 2]]


def test_the_same_groups_under_other_names_agree_wholly():
    assert adjusted_rand(np.array(["a", "a", "b", "c"]), np.array(["x", "x", "z", "y"])) == 1.0


def test_the_adjusted_rand_index_by_hand():
    first, second = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 2, 2])
    # Pairs together in both 2, in the first 6, in the second 3, of 15.
    assert adjusted_rand(first, second) == pytest.approx((2 - 6 * 3 / 15) / ((6 + 3) / 2 - 6 * 3 / 15))


def test_shuffled_groups_agree_by_nothing():
    generator = np.random.default_rng(0)
    groups = generator.integers(0, 5, size=400)
    assert np.mean([adjusted_rand(groups, generator.permutation(groups)) for _ in range(200)]) == pytest.approx(
        0, abs=0.002
    )


def test_one_group_of_all_has_nothing_to_agree_on():
    assert np.isnan(adjusted_rand(np.zeros(4), np.zeros(4)))


def test_distances_are_0_between_equals_1_at_right_angles_and_root_2_between_opposites():
    points = np.array([[3.0, 0.0], [3.0, 0.0], [0.0, 4.0], [-3.0, 0.0]])
    distance = relative_distances(points @ points.T)

    assert distance[0] == pytest.approx([0, 0, 1, np.sqrt(2)])
    assert np.diag(distance).tolist() == [0, 0, 0, 0]


def test_the_interval_of_a_mean_is_as_wide_as_its_standard_error_says():
    rows = np.random.default_rng(0).normal(size=(200, 3))
    low, high = resampled_mean(rows, draws=2000, seed=0)
    assert (high - low) / 2 == pytest.approx(1.96 * rows.std(axis=0) / np.sqrt(200), rel=0.1)
