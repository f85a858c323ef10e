"""Where a symmetry takes the components of a basis, by the basis itself."""

import numpy as np
import pytest

from miscope.basis import Basis, Block
from miscope.maths.relabelling import orbits, relabellings
from miscope.testing.toy import cosines


@pytest.mark.parametrize("q", [7, 9, 15])
def test_a_relabelling_takes_each_component_where_its_power_goes(q):
    basis = cosines(q)
    units = [u for u in range(1, q // 2 + 1) if np.gcd(u, q) == 1]
    for u, move in zip(units, relabellings(basis), strict=True):
        moved = basis.rows @ basis.rows[:, u * np.arange(q) % q].T
        for i, j in enumerate(move):
            block, image = (list(basis.components[at].rows) for at in (j, i))
            assert (moved[np.ix_(block, image)] ** 2).sum() == pytest.approx(2)


def test_frequencies_of_a_prime_are_one_orbit_and_of_9_those_with_the_same_divisor():
    assert orbits(relabellings(cosines(13))).tolist() == [0] * 6
    assert orbits(relabellings(cosines(9))).tolist() == [0, 0, 2, 0]


def test_of_another_basis_only_the_identity_is_known():
    rows = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    blocks = tuple(Block(f"part {i}", (i,)) for i in range(4))
    basis = Basis(name="made up", unit="part", rows=rows, blocks=blocks, constant=None)
    assert relabellings(basis).tolist() == [[0, 1, 2, 3]]
    assert orbits(relabellings(basis)).tolist() == [0, 1, 2, 3]
