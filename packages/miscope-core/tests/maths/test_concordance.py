"""Orders and outliers over runs, against closed forms and scipy's Friedman test."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare

from miscope.maths.concordance import concordance, modified_z, null_concordance, precedence


def test_the_same_order_is_1_and_an_order_beside_its_reverse_is_0():
    assert concordance(np.array([[1.0, 5, 9], [2, 3, 4], [0, 10, 20]])) == pytest.approx(1)
    assert concordance(np.array([[1.0, 2, 3], [3, 2, 1]])) == pytest.approx(0)


def test_three_judges_and_six_things_by_hand():
    """Rank sums 7, 9, 6, 14, 10, 17 about 10.5, whose squares sum to 89.5: W = 12 x 89.5 / (9 x 210)."""
    ranks = np.array([[1.0, 4, 2, 5, 3, 6], [2, 3, 1, 4, 6, 5], [4, 2, 3, 5, 1, 6]])
    assert concordance(ranks) == pytest.approx(12 * 89.5 / (9 * 210))


@given(st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=3, max_size=7))
@settings(max_examples=60, deadline=None)
def test_with_ties_it_is_friedmans_statistic_over_its_largest_value(rows):
    times = np.array(rows, dtype=float)
    if any(np.ptp(row) > 0 for row in times):
        chi = friedmanchisquare(*times.T).statistic
        assert concordance(times) == pytest.approx(chi / (len(times) * 4), abs=1e-12)


def test_runs_that_tell_nothing_apart_have_no_concordance():
    assert np.isnan(concordance(np.full((3, 4), np.inf)))


def test_of_shuffled_orders_it_is_one_over_the_number_of_runs():
    times = np.random.default_rng(0).random((8, 5))
    null = null_concordance(times, draws=4000, seed=0)
    assert null.mean() == pytest.approx(1 / 8, abs=0.004)


def test_what_comes_before_what_is_a_share_of_runs_and_a_tie_is_half():
    times = np.array([[1.0, 2, np.inf], [3, 3, np.inf]])
    assert precedence(times).tolist() == [[0.5, 0.75, 1], [0.25, 0.5, 1], [0, 0, 0.5]]


def test_robust_deviations_of_iglewicz_and_hoaglin():
    """Median 2.2, absolute distances with median 0.1: the last is 0.6745 x 1.8 / 0.1."""
    z = modified_z(np.array([2.1, 2.2, 2.3, 2.2, 2.1, 2.4, 4.0]))
    assert z[-1] == pytest.approx(0.6744897501960817 * 1.8 / 0.1)
    normal = modified_z(np.random.default_rng(0).normal(size=20_000))
    assert normal.std() == pytest.approx(1, abs=0.03)


def test_where_most_are_the_same_the_mean_distance_is_the_scale_and_nan_stays():
    z = modified_z(np.array([5.0, 5, 5, 5, 9, np.nan]))
    # Mean distance 0.8.
    assert z[4] == pytest.approx(4 / 0.8 * 0.7978845608028654)
    assert np.isnan(z[5])
    assert modified_z(np.full(4, 7.0)).tolist() == [0, 0, 0, 0]
