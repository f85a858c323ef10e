"""Statistics of angles: closed forms, and the null against draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope.maths.circular import coherence, direction, null_coherence, rayleigh, wrapped


@given(st.floats(-1000, 1000))
def test_wrapping_keeps_the_angle(angle):
    once = float(wrapped(np.array(angle)))
    assert -np.pi < once <= np.pi
    assert np.exp(1j * once) == pytest.approx(np.exp(1j * angle), abs=1e-9)


def test_equal_angles_are_coherent_and_opposite_ones_cancel():
    assert coherence(np.full(4, 2.0)) == pytest.approx(1)
    assert direction(np.full(4, 2.0)) == pytest.approx(2)
    assert coherence(np.array([0.3, 0.3 + np.pi])) == pytest.approx(0, abs=1e-15)
    assert np.isnan(coherence(np.array([])))


@pytest.mark.parametrize("count", [5, 20, 500])
def test_uniform_angles_exceed_the_null_with_its_level(count):
    random = np.random.default_rng(count)
    drawn = np.abs(np.exp(2j * np.pi * random.random((20_000, count))).mean(axis=1))
    assert (drawn > null_coherence(count, 0.05)).mean() == pytest.approx(0.05, abs=0.006)


def test_a_single_angle_is_as_coherent_as_can_be_and_none_says_nothing():
    assert null_coherence(1) == 1
    assert np.isnan(null_coherence(0))


def test_the_rayleigh_test_gives_zars_example():
    # Zar 1999, example 27.1: eight angles with R = 6.5 have p < 0.005.
    degrees = np.array([45, 55, 81, 96, 110, 117, 132, 154])
    angles = np.radians(degrees)
    assert 8 * coherence(angles) == pytest.approx(6.6, abs=0.1)
    assert rayleigh(angles) == pytest.approx(0.0019, abs=0.0015)


@pytest.mark.parametrize("count", [5, 50])
def test_the_rayleigh_test_of_uniform_angles_is_uniform(count):
    random = np.random.default_rng(count)
    p_values = np.array([rayleigh(row) for row in random.uniform(-np.pi, np.pi, (4000, count))])
    for level in (0.01, 0.05, 0.5):
        assert (p_values < level).mean() == pytest.approx(level, abs=0.03 * level**0.5 + 0.005)
    assert np.isnan(rayleigh(np.zeros(1)))


def test_the_rayleigh_test_and_the_nulls_edge_are_one():
    angles = np.random.default_rng(4).uniform(0, 1.9, 12)
    assert null_coherence(12, rayleigh(angles)) == pytest.approx(coherence(angles))
