"""How often, how much and how unevenly each unit of a layer answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Activity", "activity", "flip_error", "flip_rate", "packed_signs"]

_ROUNDING = 1e-10
"""Variance, as a share of the squared mean, that rounding leaves of a constant."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Activity:
    """Of M units over N inputs; each (M,) float64."""

    mean: np.ndarray
    std: np.ndarray
    active: np.ndarray
    """Share of inputs to which the unit answers by more than the threshold, either way."""
    sparsity: np.ndarray
    """(1 - E|x|^2 / E x^2) / (1 - 1/N): 0 for the same answer to all, 1 for an answer to one; NaN without any."""
    kurtosis: np.ndarray
    """Excess kurtosis, 0 for a normal distribution; NaN of a constant."""


def activity(units: Tensor, threshold: float) -> Activity:
    """Of activations (N, M). Sparsity after Rolls & Tovee 1995 as in Vinje & Gallant 2000."""
    n = len(units)
    mean = units.mean(dim=0)
    squares = (units - mean).square()
    variance, fourth = squares.mean(dim=0).double().numpy(), squares.square().mean(dim=0).double().numpy()
    size, centre = units.abs().mean(dim=0).double().numpy(), mean.double().numpy()
    power = variance + centre**2
    still = variance <= _ROUNDING * power
    with np.errstate(invalid="ignore", divide="ignore"):
        kurtosis = np.where(still, np.nan, fourth / variance**2 - 3)
        sparsity = np.where(power > 0, (1 - size**2 / power) / (1 - 1 / n), np.nan)
    return Activity(
        mean=centre,
        std=np.sqrt(np.where(still, 0.0, variance)),
        active=(units.abs() > threshold).float().mean(dim=0).double().numpy(),
        sparsity=np.clip(sparsity, 0, 1),
        kurtosis=kurtosis,
    )


def packed_signs(units: Tensor) -> np.ndarray:
    """(M, ceil(N / 8)) uint8: whether each unit is above 0 on each input, eight inputs a byte."""
    return np.packbits((units > 0).T.numpy(), axis=1)


def flip_rate(before: np.ndarray, after: np.ndarray, inputs: int) -> np.ndarray:
    """Share of so many inputs, (M,), on which each unit's sign differs between two sets of packed signs."""
    return np.unpackbits(np.bitwise_xor(before, after), axis=1).sum(axis=1) / inputs


def flip_error(before: np.ndarray, after: np.ndarray, inputs: int) -> float:
    """Standard error over inputs of the mean flip rate."""
    flipped = np.unpackbits(np.bitwise_xor(before, after), axis=1, count=inputs).mean(axis=0)
    return float(flipped.std(ddof=1) / inputs**0.5) if inputs > 1 else float("nan")
