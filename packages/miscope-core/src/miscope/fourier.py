"""The real Fourier basis over a cyclic group: the structure that arithmetic modulo n is expected to show."""

from __future__ import annotations

import numpy as np

from miscope.basis import Basis, Block

__all__ = ["fourier_basis"]


def fourier_basis(n: int) -> Basis:
    """Orthonormal rows over 0..n-1: the constant, then cos and sin of each frequency k = 1, 2, ..., n // 2.

    Block '14' is {cos 14, sin 14}; where n is even the last frequency, n / 2, is its cosine alone, since its sine is
    zero everywhere. After Nanda et al. 2023, "Progress measures for grokking", section 3.1.
    """
    x = 2 * np.pi * np.arange(n) / n
    rows, blocks = [np.full(n, n**-0.5)], [Block("const", (0,))]
    for k in range(1, n // 2 + 1):
        pair = [np.cos(k * x)] if 2 * k == n else [np.cos(k * x), np.sin(k * x)]
        blocks.append(Block(str(k), tuple(range(len(rows), len(rows) + len(pair)))))
        rows += [row / np.linalg.norm(row) for row in pair]
    return Basis(name="fourier", unit="frequency k", rows=np.stack(rows), blocks=tuple(blocks))
