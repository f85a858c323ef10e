"""Decoder rows that are kept at norm 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["tangential", "unit_rows"]

_LEAST = 1e-8


def unit_rows(decoder: Tensor) -> Tensor:
    """(m, d) rows divided by their norms; a row of nothing stays nothing."""
    return decoder / decoder.norm(dim=1, keepdim=True).clamp(min=_LEAST)


def tangential(gradient: Tensor, decoder: Tensor) -> Tensor:
    """(m, d) gradient without its part along each row: Adam's averages then hold none of it (Bricken et al. 2023)."""
    unit = unit_rows(decoder)
    return gradient - (gradient * unit).sum(1, keepdim=True) * unit
