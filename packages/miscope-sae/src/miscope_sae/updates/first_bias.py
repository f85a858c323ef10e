"""Where the decoder's bias begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["first_bias", "geometric_median"]

_MOST, _ROUNDS, _CLOSE, _LEAST = 8192, 100, 1e-6, 1e-12


def first_bias(kind: Literal["zeros", "mean", "geometric_median"], rows: Tensor) -> Tensor:
    """(d,) zeros, mean or geometric median of (n, d) rows."""
    if kind == "zeros":
        return torch.zeros(rows.shape[1], dtype=rows.dtype)
    return rows.mean(0) if kind == "mean" else geometric_median(rows[:_MOST])


def geometric_median(rows: Tensor) -> Tensor:
    """(d,) the point with the least sum of distances to (n, d) rows, by Weiszfeld's iteration."""
    at = rows.double().mean(0)
    for _ in range(_ROUNDS):
        near = 1 / (rows.double() - at).norm(dim=1).clamp(min=_LEAST)
        after = (near[:, None] * rows.double()).sum(0) / near.sum()
        moved, at = float((after - at).norm()), after
        if moved <= _CLOSE * float(after.norm()):
            break
    return at.to(rows.dtype)
