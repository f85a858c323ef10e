"""Many tests at once: worked examples, and the promise held on draws."""

import numpy as np
import pytest

from miscope.maths.false_discovery import benjamini_hochberg, empirical_p_values


def test_the_example_of_benjamini_and_hochberg():
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719]
    p_values += [0.6528, 0.7590, 1.0]
    assert (benjamini_hochberg(np.array(p_values)) <= 0.05).sum() == 4


def test_adjusted_p_values_rise_with_the_p_values_and_nan_are_no_tests():
    p_adjusted = benjamini_hochberg(np.array([0.04, np.nan, 0.01, 0.03]))
    assert p_adjusted == pytest.approx([0.04, np.nan, 0.03, 0.04], nan_ok=True)
    assert np.isnan(benjamini_hochberg(np.array([np.nan]))).all()
    assert benjamini_hochberg(np.array([1 + 2e-16, 0.5])).tolist() == [1, 1]


def test_the_false_discovery_rate_is_what_it_promises():
    random = np.random.default_rng(0)
    shares = []
    for _ in range(300):
        p_values = np.concatenate([random.random(80), random.random(20) * 1e-4])
        significant = benjamini_hochberg(p_values) <= 0.1
        shares.append(significant[:80].sum() / max(significant.sum(), 1))
    assert np.mean(shares) == pytest.approx(0.08, abs=0.015)


def test_where_the_null_is_true_nothing_is_significant_nineteen_times_in_twenty():
    random = np.random.default_rng(1)
    significant = [bool((benjamini_hochberg(random.random(56)) < 0.05).any()) for _ in range(2000)]
    assert np.mean(significant) == pytest.approx(0.05, abs=0.015)


def test_an_empirical_p_value_counts_the_draws_as_large_and_the_value_itself():
    assert empirical_p_values(np.array([0.5, 2.0, 9.0]), np.array([3.0, 1.0, 2.0])) == pytest.approx([1, 0.75, 0.25])
