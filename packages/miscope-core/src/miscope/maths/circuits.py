"""QK and OV circuits of attention heads, without ever building a matrix over the residual stream or the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LowRank", "composition", "copy_score", "eigenvalue_positivity", "expected_composition", "noise_composition"]

_ROWS = 1024
"""Rows of a matrix over tokens that are made at a time."""


@final
@dataclass(frozen=True, eq=False)
class LowRank:
    """Matrices left @ right of small rank, one a head: left (H, n, r), right (H, r, m), float64."""

    left: Tensor
    right: Tensor

    @property
    def norm(self) -> Tensor:
        """(H,) Frobenius norm: sqrt(tr(left^T left right right^T))."""
        inner = self.left.transpose(1, 2) @ self.left
        outer = self.right @ self.right.transpose(1, 2)
        return (inner * outer).sum((1, 2)).clamp_min(0).sqrt()

    @property
    def singular(self) -> Tensor:
        """(H, r) singular values, falling."""
        return torch.linalg.svdvals(_triangle(self.left) @ _triangle(self.right.transpose(1, 2)).transpose(1, 2))

    @property
    def eigenvalues(self) -> Tensor:
        """(H, r) eigenvalues that are not zero of necessity, complex; those of right @ left. Square matrices only."""
        return torch.linalg.eigvals(self.right @ self.left)

    def between(self, before: Tensor, after: Tensor) -> LowRank:
        """before @ matrix @ after, of (n', n) and (m, m')."""
        return LowRank(before @ self.left, self.right @ after)


def _triangle(tall: Tensor) -> Tensor:
    """R of the QR decomposition: (H, r, r), or (H, n, r) as it is where it is not tall."""
    return torch.linalg.qr(tall, mode="r").R if tall.shape[1] > tall.shape[2] else tall


def eigenvalue_positivity(values: Tensor) -> np.ndarray:
    """sum Re(l) / sum |l| of complex eigenvalues (H, r), (H,): 1 where all are positive, 0 at random, -1 negative.

    Elhage et al. 2021: a head whose OV circuit over tokens has it near 1 copies. NaN where all are zero.
    """
    size = values.abs().sum(dim=1)
    return torch.where(size > 0, values.real.sum(dim=1) / size, torch.nan).numpy()


def copy_score(circuit: LowRank) -> np.ndarray:
    """Share of rows, (H,), whose largest entry lies on the diagonal, of square matrices: 1 for a head that copies.

    Of an OV circuit over tokens: how often attending to a token raises that very token's logit most.
    """
    size = circuit.left.shape[1]
    right = torch.arange(size).split(_ROWS)
    hits = [(circuit.left[:, rows] @ circuit.right).argmax(dim=2) == rows for rows in right]
    return torch.cat(hits, dim=1).double().mean(dim=1).numpy()


def composition(writer: LowRank, reader: LowRank) -> np.ndarray:
    """|W_reads W_writes| / (|W_reads| |W_writes|), (H_writer, H_reader), of what heads write (n, d) and read (d, m).

    In row-vector order: what the writer maps to is what the reader maps from. Elhage et al. 2021, 'composition'.
    """
    product = torch.einsum("ard,bdk->abrk", writer.right, reader.left)
    first = writer.left.transpose(1, 2) @ writer.left
    second = reader.right @ reader.right.transpose(1, 2)
    squares = torch.einsum("ars,abrk,bkl,absl->ab", first, product, second, product)
    scale = writer.norm[:, None] * reader.norm[None]
    return torch.where(scale > 0, squares.clamp_min(0).sqrt() / scale, torch.nan).numpy()


def expected_composition(width: int) -> float:
    """1 / sqrt(d): composition of random matrices that read and write a residual stream of that width."""
    return width**-0.5


def noise_composition(writer: LowRank, reader: LowRank, draws: int, seed: int) -> np.ndarray:
    """Composition of heads whose factors are Gaussian, of the same shapes, (draws,)."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(like: Tensor) -> Tensor:
        return torch.randn(draws, *like.shape[1:], generator=generator, dtype=torch.float64)

    pairs = zip(*(drawn(t) for t in (writer.left, writer.right, reader.left, reader.right)), strict=True)
    return np.array([composition(LowRank(a[None], b[None]), LowRank(c[None], d[None]))[0, 0] for a, b, c, d in pairs])
