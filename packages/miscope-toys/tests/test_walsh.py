"""The Walsh basis: characters of a few bits, by degree."""

from __future__ import annotations

from math import comb

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from miscope_toys.walsh import bit_basis, walsh_basis


@given(st.integers(1, 8))
def test_block_d_holds_the_characters_of_d_bits(bits: int) -> None:
    basis = walsh_basis(bits)
    assert [len(block.rows) for block in basis.blocks] == [comb(bits, degree) for degree in range(bits + 1)]
    assert basis.labels == tuple(str(degree) for degree in range(1, bits + 1))


@given(st.integers(1, 8))
def test_the_parity_lies_in_the_last_block_and_in_no_other(bits: int) -> None:
    parity = (-1.0) ** np.array([value.bit_count() for value in range(2**bits)])
    coefficients = walsh_basis(bits).rows @ parity
    expected = np.zeros(2**bits)
    expected[-1] = 2 ** (bits / 2)
    np.testing.assert_allclose(coefficients, expected, atol=1e-9)


def test_the_first_bit_is_the_highest() -> None:
    rows = walsh_basis(2).rows * 2
    np.testing.assert_allclose(rows, [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])


def test_a_bit_basis_reads_each_bit_by_itself() -> None:
    basis = bit_basis(5)
    assert basis.labels == ("0", "1", "2", "3", "4")
    np.testing.assert_array_equal(basis.rows @ np.array([0, 0, 2.0, 0, 0]), [0, 0, 2, 0, 0])
