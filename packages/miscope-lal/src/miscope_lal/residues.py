"""Residues modulo p: primes, generators of the multiplicative group, discrete logarithms and their Fourier basis."""

from __future__ import annotations

import numpy as np

from miscope import Basis, Block
from miscope.fourier import fourier_basis

__all__ = ["divisor_basis", "is_prime", "logarithms", "multiplicative_basis", "primitive_root"]

_NAME, _UNIT = "multiplicative fourier", "frequency k of the discrete logarithm"


def is_prime(n: int) -> bool:
    """Whether n is a prime number."""
    return n >= 2 and all(n % d for d in range(2, int(n**0.5) + 1))


def primitive_root(prime: int) -> int:
    """The smallest generator of the multiplicative group modulo a prime: its powers are all of 1 .. prime - 1."""
    return next(g for g in range(1, prime) if len({pow(g, i, prime) for i in range(prime - 1)}) == prime - 1)


def logarithms(prime: int) -> np.ndarray:
    """(prime - 1,) int64: the discrete logarithm of 1 .. prime - 1 to the base of the smallest primitive root."""
    root, found = primitive_root(prime), np.zeros(prime - 1, dtype=np.int64)
    for exponent in range(prime - 1):
        found[pow(root, exponent, prime) - 1] = exponent
    return found


def divisor_basis(prime: int) -> Basis:
    """Over 1 .. prime - 1 in that order: the characters of the multiplicative group, by frequency of the logarithm."""
    cyclic = fourier_basis(prime - 1)
    return Basis(name=_NAME, unit=_UNIT, rows=cyclic.rows[:, logarithms(prime)], blocks=cyclic.blocks)


def multiplicative_basis(prime: int) -> Basis:
    """Over 0 .. prime - 1: the constant, the contrast of 0 with all others, and the characters of the multiplicative
    group, which are 0 at 0.

    Block 'k' is {cos, sin} of 2 pi k log(x) / (prime - 1), so that a network which multiplies by adding discrete
    logarithms has its power on few of them; the last, k = (prime - 1) / 2, is its cosine alone: whether x is a square.
    """
    characters = divisor_basis(prime)
    rows = np.zeros((prime, prime))
    rows[0] = prime**-0.5
    rows[1] = np.append((prime - 1) / prime, np.full(prime - 1, -1 / prime)) / ((prime - 1) / prime) ** 0.5
    rows[2:, 1:] = characters.rows[1:]
    blocks = [Block("const", (0,)), Block("zero", (1,))]
    blocks += [Block(block.label, tuple(row + 1 for row in block.rows)) for block in characters.components]
    return Basis(name=_NAME, unit=_UNIT, rows=rows, blocks=tuple(blocks))
