"""What belongs to each checkpoint in the weights and inputs of all of them side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["block_norms", "blocks", "in_drawn_order"]


def blocks(rows: Tensor, count: int) -> Tensor:
    """(n, T, d) of (n, T * d): a decoder row, or an input, parted by checkpoint."""
    return rows.unflatten(1, (count, -1))


def block_norms(decoder: Tensor, count: int) -> Tensor:
    """(m, T) the norm of each latent's direction at each checkpoint, of (m, T * d) decoder rows."""
    return blocks(decoder, count).norm(dim=2)


def in_drawn_order(rows: Tensor, count: int, seed: int) -> Tensor:
    """(N, T * d) with the checkpoints of each row in an order of its own, drawn from the seed."""
    parted = blocks(rows, count)
    order = torch.rand(parted.shape[:2], generator=torch.Generator().manual_seed(seed)).argsort(dim=1)
    return parted.take_along_dim(order[:, :, None], dim=1).flatten(1)
