"""Kaplan and Meier's curve, against a worked example and closed forms."""

import numpy as np
import pytest

from miscope.maths.survival import median_time, median_times, survival


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
