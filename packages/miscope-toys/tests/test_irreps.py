"""Irreducible representations of small symmetric groups: they multiply, are orthogonal, and make a basis."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest

from miscope.maths.harmonics import second_harmonics
from miscope_toys.irreps import composition_table, elements, irreps, irreps_basis

DEGREES = (3, 4, 5)
DIMENSIONS = {3: [1, 2, 1], 4: [1, 3, 2, 3, 1], 5: [1, 4, 5, 6, 5, 4, 1]}


@pytest.mark.parametrize("degree", DEGREES)
def test_every_representation_multiplies_as_the_permutations_do(degree):
    table = composition_table(degree)
    for matrices in irreps(degree).values():
        products = np.einsum("aij,bjk->abik", matrices, matrices)
        np.testing.assert_allclose(matrices[table], products, rtol=0, atol=1e-13)


def test_the_right_permutation_comes_first():
    known, table = elements(4), composition_table(4)
    first, second = (1, 2, 0, 3), (0, 1, 3, 2)
    both = known[table[known.index(second), known.index(first)]]
    assert both == tuple(second[x] for x in first)


@pytest.mark.parametrize("degree", DEGREES)
def test_their_dimensions_are_known_and_their_squares_add_up_to_the_order(degree):
    sizes = [matrices.shape[1] for matrices in irreps(degree).values()]
    assert sizes == DIMENSIONS[degree]
    assert sum(size**2 for size in sizes) == factorial(degree)


@pytest.mark.parametrize("degree", DEGREES)
def test_matrix_elements_obey_schurs_orthogonality(degree):
    representations = list(irreps(degree).values())
    for one in representations:
        for other in representations:
            inner = np.einsum("gij,gkl->ijkl", one, other)
            expected = np.zeros_like(inner)
            if one is other:
                d = one.shape[1]
                expected = np.einsum("ik,jl->ijkl", np.eye(d), np.eye(d)) * factorial(degree) / d
            np.testing.assert_allclose(inner, expected, rtol=0, atol=1e-12 * factorial(degree))


def test_a_block_of_nine_rows_is_an_orthonormal_set_and_blocks_are_named_by_their_partitions():
    basis = irreps_basis(4)
    sizes = {block.label: len(block.rows) for block in basis.blocks}
    assert sizes == {"[4]": 1, "[3,1]": 9, "[2,2]": 4, "[2,1,1]": 9, "[1^4]": 1}
    nine = basis.rows[list(basis.components[0].rows)]
    np.testing.assert_allclose(nine @ nine.T, np.eye(9), rtol=0, atol=1e-13)
    assert (basis.unit, basis.constant) == ("irrep", "[4]")
    assert basis.rows[0] == pytest.approx(np.full(24, 24**-0.5))


def test_the_last_representation_is_the_sign():
    sign = irreps(4)[1, 1, 1, 1][:, 0, 0]
    inversions = [sum(a[i] > a[j] for i in range(4) for j in range(i + 1, 4)) for a in elements(4)]
    assert sign.tolist() == [(-1.0) ** count for count in inversions]


@pytest.mark.parametrize("degree", DEGREES)
def test_no_representation_is_the_second_harmonic_of_another(degree):
    # The square of a single matrix element may lie in one block; those of all of them do not.
    assert set(second_harmonics(irreps_basis(degree))) == {-1}
