"""Which blocks of a basis are what squaring a function of another block gives."""

from __future__ import annotations

import numpy as np

from miscope.basis import Basis

__all__ = ["second_harmonics"]

_MOST = 0.99
"""Share of the squared rows, without the constant, that their harmonic holds; a frequency's holds all."""


def second_harmonics(basis: Basis) -> np.ndarray:
    """(K,) number of the block that the squares of all of a block's functions lie in; -1 where in none or in itself.

    cos² kx = 1/2 + 1/2 cos 2kx, so in a Fourier basis the harmonic of k is 2k, or n - 2k where that is beyond n / 2.
    """
    blocks = basis.components
    harmonic = np.full(len(blocks), -1)
    for k, block in enumerate(blocks):
        squared = basis.rows @ (basis.rows[list(block.rows)] ** 2).T
        power = np.array([(squared[list(other.rows)] ** 2).sum() for other in blocks])
        if power.sum() > 1e-20 and power.max() >= _MOST * power.sum() and power.argmax() != k:
            harmonic[k] = power.argmax()
    return harmonic
