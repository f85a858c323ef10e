"""Which blocks of a basis are what squaring a function of another block gives."""

from __future__ import annotations

import numpy as np

from miscope.basis import Basis

__all__ = ["second_harmonics"]

_MOST = 0.99
"""Share of a squared row, without the constant, that its harmonic holds; a Fourier row's holds all."""


def second_harmonics(basis: Basis) -> np.ndarray:
    """(K,) number of the block that each block's squared functions lie in; -1 where they lie in none or in itself.

    cos² kx = 1/2 + 1/2 cos 2kx, so in a Fourier basis the harmonic of k is 2k, or n - 2k where that is beyond n / 2.
    """
    blocks = basis.components
    found = np.full(len(blocks), -1)
    for k, block in enumerate(blocks):
        squared = basis.rows @ (basis.rows[block.rows[0]] ** 2)
        power = np.array([(squared[list(other.rows)] ** 2).sum() for other in blocks])
        if power.sum() > 1e-20 and power.max() >= _MOST * power.sum() and power.argmax() != k:
            found[k] = power.argmax()
    return found
