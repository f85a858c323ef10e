"""Statistics of angles: closed forms, and the null against draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope.maths.circular import coherence, coherence_by_chance, direction, wrapped


@given(st.floats(-1000, 1000))
def test_wrapping_keeps_the_angle(angle):
    found = float(wrapped(np.array(angle)))
    assert -np.pi < found <= np.pi
    assert np.exp(1j * found) == pytest.approx(np.exp(1j * angle), abs=1e-9)


def test_equal_angles_are_coherent_and_opposite_ones_cancel():
    assert coherence(np.full(4, 2.0)) == pytest.approx(1)
    assert direction(np.full(4, 2.0)) == pytest.approx(2)
    assert coherence(np.array([0.3, 0.3 + np.pi])) == pytest.approx(0, abs=1e-15)
    assert np.isnan(coherence(np.array([])))


@pytest.mark.parametrize("count", [5, 20, 500])
def test_uniform_angles_exceed_the_null_with_its_chance(count):
    random = np.random.default_rng(count)
    drawn = np.abs(np.exp(2j * np.pi * random.random((20_000, count))).mean(axis=1))
    assert (drawn > coherence_by_chance(count, 0.05)).mean() == pytest.approx(0.05, abs=0.006)


def test_a_single_angle_is_coherent_by_chance_and_none_says_nothing():
    assert coherence_by_chance(1) == 1
    assert np.isnan(coherence_by_chance(0))
