"""The share of a prediction's energy in high frequencies over the grid of pairs: a loss that makes it smooth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from miscope.lazily import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["low_frequencies", "spectral_loss"]

_LEAST = 1e-8


def low_frequencies(rows: int, columns: int, *, cutoff: int, exclude_constant: bool) -> tuple[Tensor, Tensor]:
    """(rows, columns) bool each: frequencies no faster than `cutoff` cycles of the longer axis, and those that count.

    Radial: (k_a / rows)^2 + (k_b / columns)^2 <= (cutoff / max(rows, columns))^2, k the signed number of cycles along
    an axis. Without the constant it is in neither.
    """
    counted = torch.ones(rows, columns, dtype=torch.bool)
    counted[0, 0] = not exclude_constant
    # In whole numbers: a comparison of rounded roots would decide about frequencies on the circle.
    speeds = (_cycles(rows)[:, None] * columns) ** 2 + (_cycles(columns) * rows) ** 2
    return (speeds <= (cutoff * min(rows, columns)) ** 2) & counted, counted


def spectral_loss(logits: Tensor, *, cutoff: int, exclude_constant: bool = False) -> Tensor:
    """1 - P_low / (P + 1e-8), P the energy over frequencies of the expected answer sum_c c softmax(logits)_c.

    logits (..., rows, columns, classes) of every pair (a, b), of several grids their mean; cutoff: as
    `low_frequencies`. Between 0, smooth, and 1. The constant is in both sums unless excluded, and then is 3/4 of the
    energy whatever is learned. It depends on the order of the classes.
    """
    classes = torch.arange(logits.shape[-1], dtype=logits.dtype, device=logits.device)
    expected = (logits.softmax(-1) * classes).sum(-1)
    power = torch.view_as_real(torch.fft.fft2(expected)).square().sum(-1)
    low, counted = low_frequencies(*expected.shape[-2:], cutoff=cutoff, exclude_constant=exclude_constant)
    low_power, whole = ((power * mask.to(power.device)).sum((-2, -1)) for mask in (low, counted))
    return (1 - low_power / (whole + _LEAST)).mean()


def _cycles(size: int) -> Tensor:
    """(size,) signed cycles of each frequency, in the order of a discrete Fourier transform."""
    return (torch.arange(size) + size // 2) % size - size // 2
