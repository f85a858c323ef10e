"""Kaplan and Meier's curve, against a worked example and closed forms."""

import numpy as np
import pytest

from miscope.maths.survival import median_interval, median_time, median_times, quantile_time, survival


def test_the_remission_times_of_freireich_and_others():
    """6-mercaptopurine, 21 patients, of whom 12 were still well when last seen; in every textbook."""
    times = np.array([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35], dtype=float)
    relapsed = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
    at, left = survival(times, relapsed)

    assert at.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert left == pytest.approx([0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482], abs=5e-5)
    assert median_time(times, relapsed) == 23


def test_without_censoring_it_is_the_share_that_is_left():
    times = np.array([3.0, 1.0, 2.0, 4.0])
    at, left = survival(times, np.ones(4, dtype=bool))

    assert at.tolist() == [1, 2, 3, 4]
    assert left == pytest.approx([0.75, 0.5, 0.25, 0])
    assert median_time(times, np.ones(4, dtype=bool)) == 2


def test_what_happens_to_less_than_half_has_no_median():
    assert median_time(np.array([1.0, 9.0, 9.0]), np.array([True, False, False])) == np.inf
    assert median_time(np.array([9.0]), np.array([False])) == np.inf


def test_leaving_out_those_that_ended_before_would_make_the_median_too_early():
    times, happened = np.array([1.0, 2.0, 5.0, 6.0, 6.0]), np.array([True, True, True, False, False])
    assert median_time(times, happened) == 5 > np.median(times[happened])


def test_the_bootstrap_repeats_for_a_seed_and_stays_among_the_times():
    times, happened = np.arange(1.0, 8), np.ones(7, dtype=bool)
    first, second = (median_times(times, happened, draws=50, seed=2) for _ in range(2))

    assert first.tolist() == second.tolist()
    assert set(first) <= set(times)
    assert len(set(first)) > 1


def test_quarters_of_the_remission_times_are_those_of_the_curve():
    times = np.array([1.0, 2.0, 3.0, 4.0, 9.0])
    happened = np.array([True, True, True, True, False])
    assert [quantile_time(times, happened, share) for share in (0.2, 0.25, 0.5, 0.75)] == [1, 2, 3, 4]
    assert quantile_time(times, happened, 0.9) == np.inf


def test_many_medians_at_once_are_the_medians_one_by_one():
    random = np.random.default_rng(3)
    times, happened = random.integers(1, 8, size=9).astype(float), random.random(9) < 0.6
    chosen = np.random.default_rng(5).integers(9, size=(200, 9))
    expected = [median_time(times[rows], happened[rows]) for rows in chosen]
    assert median_times(times, happened, draws=200, seed=5).tolist() == expected


def test_the_interval_of_a_median_holds_it_95_times_in_100():
    """Of 15 exponential times with median log 2; the bootstrap of a median is close, not exact."""
    held = 0
    for seed in range(200):
        times = np.random.default_rng(seed).exponential(size=15)
        low, high, method = median_interval(times, np.ones(15, dtype=bool), draws=400, seed=0)
        assert method == "BCa"
        held += low <= np.log(2) <= high
    assert 0.88 <= held / 200 <= 0.99


def test_without_skew_the_corrected_interval_is_that_of_the_order_statistics():
    """Binomial(101, 1/2): ranks 41 and 61 of 101 hold the median with 95 % and a little."""
    low, high, _ = median_interval(np.arange(1.0, 102), np.ones(101, dtype=bool), draws=4000, seed=0)
    assert (low, high) == pytest.approx((41, 61), abs=1.5)


def test_where_some_ended_before_the_interval_may_have_no_end():
    times, happened = np.array([1.0, 2, 3, 9, 9]), np.array([True, True, True, False, False])
    low, high, method = median_interval(times, happened, draws=500, seed=0)
    assert (low, high, method) == (1, np.inf, "percentile")


def test_runs_that_all_got_there_at_once_have_an_interval_of_no_width():
    assert median_interval(np.full(6, 3.0), np.ones(6, dtype=bool), draws=100, seed=0) == (3, 3, "percentile")
