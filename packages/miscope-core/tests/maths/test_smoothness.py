"""Spectral smoothness by hand: exact tables, constants, noise, and what leaves it as it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from miscope.maths.draws import random_of
from miscope.maths.smoothness import cutoff_of, low_frequencies, renumbered, shuffled, smoothness

EXACT = {
    7: ((0.6923, 0.0000), (0.6593, 0.1622)),
    17: ((0.9391, 0.7767), (0.7672, 0.2623)),
    53: ((0.9853, 0.9430), (0.7889, 0.2214)),
    113: ((0.9929, 0.9719), (0.7938, 0.2067)),
}
"""Of a + b and of a b modulo p: with the constant and without, by an independent computation to four digits."""


def low_of(*shape: int) -> np.ndarray:
    return low_frequencies(shape, cutoff_of(shape))


@pytest.mark.parametrize("p", EXACT)
def test_exact_tables_of_sums_and_products_are_as_smooth_as_known(p: int) -> None:
    a, b = np.indices((p, p))
    for table, known in zip(((a + b) % p, a * b % p), EXACT[p], strict=True):
        found = smoothness(table, low_of(p, p))
        assert (found.value, found.without_constant) == pytest.approx(known, abs=5e-5)


def test_a_balanced_tables_constant_is_three_quarters_of_its_power() -> None:
    p = 53
    found = smoothness(np.add.outer(np.arange(p), np.arange(p)) % p, low_frequencies((p, p), 1e-6))
    assert found.value == pytest.approx(3 * (p - 1) / (4 * p - 2))
    assert found.without_constant == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("value", [0, 3, 0.1])
def test_a_constant_is_smooth_and_has_nothing_beside_the_constant(value: float) -> None:
    for found in (smoothness(np.full((7, 5), value), low_of(7, 5)), shuffled(np.full((7, 5), value), low_of(7, 5))):
        assert found.value == 1
        assert np.isnan(found.without_constant)


def test_the_share_of_one_wave_is_all_or_nothing_on_either_side_of_the_cutoff() -> None:
    a, b = np.indices((16, 12))
    wave = np.cos(2 * np.pi * (2 * a / 16 + 3 * b / 12))
    length = np.hypot(2 / 16, 3 / 12)
    assert smoothness(wave, low_frequencies((16, 12), length)).without_constant == pytest.approx(1)
    assert smoothness(wave, low_frequencies((16, 12), 0.999 * length)).without_constant == pytest.approx(0, abs=1e-12)


def test_the_expectation_over_shuffles_is_that_of_many_shuffles() -> None:
    random, low = np.random.default_rng(0), low_of(7, 7)
    table = np.multiply.outer(np.arange(7), np.arange(7)) % 7
    found = [smoothness(random.permutation(table.ravel()).reshape(7, 7), low) for _ in range(2000)]
    known = shuffled(table, low)
    for name in ("value", "without_constant"):
        draws = np.array([getattr(each, name) for each in found])
        assert abs(draws.mean() - getattr(known, name)) < 4 * draws.std() / np.sqrt(len(draws))


def test_classes_renumbered_leave_a_table_of_sums_the_share_of_its_low_diagonal() -> None:
    """A function of a + b has power at (k, k) alone; its 16 frequencies are alike once the classes are renumbered."""
    p = 17
    table = np.add.outer(np.arange(p), np.arange(p)) % p
    random = random_of("x", seed=0, step=3)
    _, found = renumbered(table, low_of(p, p), classes=p, draws=2000, random=random)
    low = 2 * sum(k * np.sqrt(2) <= 4 for k in range(1, 9))
    assert abs(found.mean() - low / 16) < 4 * found.std() / np.sqrt(len(found))


def test_draws_are_those_of_an_instrument_and_a_step() -> None:
    first = random_of("x", seed=0, step=3).random()
    assert first == random_of("x", seed=0, step=3).random()
    others = [random_of("y", seed=0, step=3), random_of("x", seed=1, step=3), random_of("x", seed=0, step=4)]
    assert first not in [other.random() for other in others]


TABLES = arrays(np.int64, st.tuples(st.integers(4, 9), st.integers(4, 9)), elements=st.integers(0, 20))


@settings(max_examples=50, deadline=None)
@given(TABLES, st.integers(-50, 50))
def test_without_the_constant_an_offset_and_the_order_of_the_factors_change_nothing(table: np.ndarray, offset: int):
    low = low_of(*table.shape)
    without = smoothness(table, low).without_constant
    assert smoothness(table + offset, low).without_constant == pytest.approx(without, abs=1e-9, nan_ok=True)
    turned = smoothness(table.T, low.T)
    assert turned.without_constant == pytest.approx(without, abs=1e-9, nan_ok=True)
    assert 0 <= smoothness(table, low).value <= 1 + 1e-12


def test_a_grid_of_three_factors_has_its_low_frequencies_in_a_ball() -> None:
    low = low_frequencies((4, 6, 8), 0.25)
    squares = np.add.outer(np.add.outer(np.fft.fftfreq(4) ** 2, np.fft.fftfreq(6) ** 2), np.fft.fftfreq(8) ** 2)
    assert np.array_equal(low, squares <= 0.0625 + 1e-12)
