"""Spectra of bilinear forms over tokens, by hand."""

import numpy as np
import pytest

from miscope.maths.circuit_spectrum import circuit_singular_values, circuit_spectrum
from miscope.testing.toy import cosines


def test_a_form_that_compares_one_frequency_with_itself_has_all_its_power_there():
    basis = cosines(7)
    plane = basis.rows[3:5].T
    spectrum = circuit_spectrum(plane, 2 * plane, basis)
    assert spectrum.within == pytest.approx([0, 1, 0])
    assert spectrum.across == pytest.approx(0)
    assert spectrum.power == pytest.approx(8)


def test_two_frequencies_coupled_to_each_other_are_across_and_constants_are_left_out():
    basis = cosines(7)
    spectrum = circuit_spectrum(basis.rows[[1]].T, basis.rows[[3]].T + 5 * basis.rows[[0]].T, basis)
    assert spectrum.within == pytest.approx([0, 0, 0])
    assert spectrum.across == pytest.approx(1)
    assert circuit_spectrum(basis.rows[[0]].T, basis.rows[[0]].T, basis).across == 0


def test_noise_couples_each_block_to_itself_in_proportion_to_its_size():
    basis, random = cosines(29), np.random.default_rng(0)
    shares = [
        circuit_spectrum(random.normal(size=(29, 8)), random.normal(size=(29, 8)), basis).within for _ in range(200)
    ]
    assert np.mean(shares) == pytest.approx(4 / 28**2, rel=0.05)


def test_singular_values_are_those_of_the_whole_matrix():
    left, right = np.random.default_rng(1).normal(size=(2, 30, 4))
    whole = np.linalg.svd(left @ right.T, compute_uv=False)
    assert circuit_singular_values(left, right) == pytest.approx(whole[:4])
