"""Measures of routing weights where their values are known."""

from __future__ import annotations

import numpy as np
import pytest

from miscope_lal.routing_measures import between_share, entropies, paths_of, shuffled_shares


def test_entropy_is_in_nats_and_nothing_for_one_head_alone():
    rows = np.array([[0.25, 0.25, 0.25, 0.25], [0, 1, 0, 0], [0.5, 0.5, 0, 0]])
    assert entropies(rows) == pytest.approx([np.log(4), 0, np.log(2)])


def test_variance_between_groups_is_all_of_it_where_the_group_decides():
    group = np.arange(30) % 3
    weights = np.eye(3)[group]
    assert between_share(weights, group) == pytest.approx(1)
    assert between_share(weights, np.arange(30) // 3) == pytest.approx(0, abs=1e-12)
    assert np.isnan(between_share(np.full((30, 3), 1 / 3), group))


def test_variance_between_and_within_groups_are_the_whole():
    random = np.random.default_rng(3)
    weights, group = random.dirichlet(np.ones(4), size=50), random.integers(5, size=50)
    within = sum(((weights[group == g] - weights[group == g].mean(axis=0)) ** 2).sum() for g in range(5))
    whole = ((weights - weights.mean(axis=0)) ** 2).sum()
    assert between_share(weights, group) == pytest.approx(1 - within / whole)


def test_at_random_groups_explain_as_much_as_they_are_many():
    random = np.random.default_rng(3)
    weights, group = random.dirichlet(np.ones(4), size=60), np.arange(60) % 6
    null = shuffled_shares(weights, group, draws=400, seed=0)
    assert null.mean() == pytest.approx(5 / 59, rel=0.1)
    assert np.array_equal(null, shuffled_shares(weights, group, draws=400, seed=0))


def test_paths_are_counted_and_the_commonest_stands_first():
    first, second = np.array([0, 0, 1, 1, 1]), np.array([2, 3, 2, 2, 0])
    paths = paths_of([first, second])
    assert paths.heads[0].tolist() == [1, 2]
    assert paths.count.tolist() == [2, 1, 1, 1]
    assert np.array_equal(paths.heads[paths.taken], np.stack([first, second], axis=1))
