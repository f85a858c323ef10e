"""The Walsh basis over the values of a few bits: the structure a parity is expected to show."""

from __future__ import annotations

import numpy as np

from miscope import Basis, Block

__all__ = ["bit_basis", "walsh_basis"]


def walsh_basis(bits: int) -> Basis:
    """Orthonormal characters (-1)^(parity of the bits in S) over the 2^bits values, in blocks by degree |S|.

    Value x holds its first bit in the highest place. Block 'const' is S empty, block '1' the single bits, the last
    block the parity of all. O'Donnell 2014, "Analysis of Boolean functions", chapter 1.
    """
    values = (np.arange(2**bits)[:, None] >> np.arange(bits)[::-1]) & 1
    rows = (-1.0) ** (values @ values.T) / np.sqrt(2**bits)
    degrees = values.sum(1)
    order = np.argsort(degrees, kind="stable")
    sizes = np.bincount(degrees)
    starts = np.cumsum([0, *sizes])
    blocks = tuple(
        Block("const" if degree == 0 else str(degree), tuple(range(starts[degree], starts[degree + 1])))
        for degree in range(bits + 1)
    )
    return Basis(name="walsh", unit="degree", rows=rows[order], blocks=blocks)


def bit_basis(bits: int) -> Basis:
    """Each bit of the input by itself: which of them a weight matrix reads. Block '7' is bit 7, counted from 0."""
    blocks = tuple(Block(str(bit), (bit,)) for bit in range(bits))
    return Basis(name="bits", unit="bit", rows=np.eye(bits), blocks=blocks, constant=None)
