"""Which components of a basis a symmetry of the task takes into one another."""

from __future__ import annotations

import numpy as np

from miscope.basis import Basis
from miscope.maths.coarseness import automorphisms

__all__ = ["orbits", "relabellings"]


def relabellings(basis: Basis) -> np.ndarray:
    """(U, K) where each component goes under the automorphisms x -> u x of Z_q, the identity first.

    Frequency k of a Fourier basis goes to u k mod q, up to sign. Of any other basis only the identity is known.
    """
    units = automorphisms(basis, basis)
    if not units:
        return np.arange(len(basis.components))[None]
    place = {int(label): i for i, label in enumerate(basis.labels)}
    q = basis.size
    return np.array([[place[min(u * k % q, -u * k % q)] for k in place] for u in units])


def orbits(moves: np.ndarray) -> np.ndarray:
    """(K,) number of the orbit of each component under maps (U, K) that form a group: the least member's."""
    return moves.min(axis=0)
