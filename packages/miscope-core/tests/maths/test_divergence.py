"""Divergences of losses made by hand: what is one, what is none, and what is left without them."""

import numpy as np

from miscope.maths.divergence import divergences, undiverged
from miscope.snapshot import Series


def spans(*loss):
    return [(one.start, one.stop, one.trough) for one in divergences(np.array(loss, dtype=np.float64))]


def test_a_loss_that_comes_up_again_has_diverged_until_it_is_down_again():
    assert spans(5, 1, 0.02, 0.03, 30, 4, 0.4, 0.02) == [(4, 6, 0.02)]


def test_every_divergence_counts_and_the_last_may_not_recover():
    assert spans(5, 0.1, 9, 0.1, 3, 3) == [(2, 3, 0.1), (4, 6, 0.1)]


def test_a_rise_to_less_than_half_of_the_peak_is_none():
    assert spans(5, 0.02, 2.4, 0.02) == []


def test_the_peak_of_overfitting_after_a_fall_from_a_large_initialisation_is_none():
    assert spans(10, 4.7, 25, 20, 1e-3, 1e-6) == []
    assert spans(5, 4, 3, 4, 5) == []


def test_records_outside_of_divergences_are_kept():
    kept = undiverged(Series(steps=np.arange(6) * 10, values=np.array([5, 0.1, 9, 3, 0.1, 0.2])))
    assert kept.steps.tolist() == [0, 10, 40, 50]
    assert kept.values.tolist() == [5, 0.1, 0.1, 0.2]
