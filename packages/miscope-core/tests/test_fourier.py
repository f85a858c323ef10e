"""The Fourier basis over residues."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from miscope.fourier import fourier_basis


@given(st.integers(1, 60))
def test_rows_are_orthonormal_for_odd_and_even_sizes(n: int) -> None:
    basis = fourier_basis(n)
    assert np.allclose(basis.rows @ basis.rows.T, np.eye(n), atol=1e-12)


@pytest.mark.parametrize(("n", "k"), [(113, 1), (113, 14), (113, 56), (12, 5)])
def test_a_block_is_named_for_its_true_frequency(n: int, k: int) -> None:
    basis = fourier_basis(n)
    wave = np.cos(2 * np.pi * k * np.arange(n) / n + 0.4)
    (block,) = [block for block in basis.blocks if block.label == str(k)]
    power = (basis.rows @ wave) ** 2
    assert power[list(block.rows)].sum() == pytest.approx(power.sum())


def test_components_leave_out_the_constant() -> None:
    assert fourier_basis(7).labels == ("1", "2", "3")
    assert fourier_basis(2).labels == ("1",)


def test_half_of_an_even_size_has_a_cosine_only() -> None:
    basis = fourier_basis(6)
    assert [len(block.rows) for block in basis.blocks] == [1, 2, 2, 1]
    assert np.allclose(basis.rows[-1], np.array([1, -1, 1, -1, 1, -1]) / 6**0.5)
