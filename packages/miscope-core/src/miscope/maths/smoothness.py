"""How smooth a table over a grid of factors is: the share of its power at low frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

__all__ = ["Smoothness", "cutoff_of", "low_frequencies", "renumbered", "shuffled", "smoothness"]

_ROUNDING = 1e-9
"""Of a frequency and the cut-off, relative: those that lie on it are within."""

_STILL = 1e-24
"""Variance over squared mean below which a table is constant but for rounding."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothness:
    """Shares of power, 0 to 1; higher is smoother."""

    value: float
    """With the constant; 1 of a constant table."""
    without_constant: float
    """Without it; NaN of a constant table."""


def cutoff_of(shape: Sequence[int]) -> float:
    """(p // 4) / p cycles a sample for the p values of the largest factor."""
    largest = max(shape)
    return (largest // 4) / largest


def low_frequencies(shape: Sequence[int], cutoff: float) -> np.ndarray:
    """Which entries of the Fourier transform of a table of this shape lie within so many cycles a sample, inclusive.

    The distance is that from the origin, sqrt(f_a^2 + f_b^2 + ...), with frequencies from -1/2 to 1/2.
    """
    squares = np.zeros(tuple(shape))
    for axis, size in enumerate(shape):
        along = [1] * len(shape)
        along[axis] = size
        squares = squares + np.square(np.fft.fftfreq(size)).reshape(along)
    return np.sqrt(squares) <= cutoff * (1 + _ROUNDING)


def smoothness(table: np.ndarray, low: np.ndarray) -> Smoothness:
    """Of a table over a grid; low: its low frequencies, the constant's among them.

    The transform is of the table less its mean, so that a constant leaves no rounding behind; by Parseval the power
    without the constant is the number of entries times their sum of squares.
    """
    exact = np.asarray(table, dtype=np.float64)
    mean = exact.mean()
    constant = exact.size**2 * mean**2
    varying = exact.size * np.square(exact - mean).sum()
    if varying <= _STILL * constant or varying == 0:
        return Smoothness(value=1.0, without_constant=float("nan"))
    power = np.square(np.abs(np.fft.fftn(exact - mean)))
    inside = min(float(power[low].sum() - power.flat[0]), float(varying))
    return Smoothness(value=float((constant + inside) / (constant + varying)), without_constant=float(inside / varying))


def shuffled(table: np.ndarray, low: np.ndarray) -> Smoothness:
    """Expected smoothness of the same values laid over the grid at random: exact.

    Every frequency but the constant has the same expected power then, and their sum stays as it is.
    """
    exact = np.asarray(table, dtype=np.float64)
    share = float((low.sum() - 1) / (low.size - 1))
    square, second = float(np.square(exact.mean())), float(np.square(exact).mean())
    if second - square <= _STILL * square or second == 0:
        return Smoothness(value=1.0, without_constant=float("nan"))
    return Smoothness(value=(square + share * (second - square)) / second, without_constant=share)


def renumbered(
    table: np.ndarray, low: np.ndarray, *, classes: int, draws: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Smoothness of a table of class numbers, (draws,) with the constant and without, its classes renumbered at random.

    Which inputs have the same class stays as it is; what is left is how smooth the table is by its numbers alone.
    """
    found = [smoothness(random.permutation(classes)[table], low) for _ in range(draws)]
    return np.array([each.value for each in found]), np.array([each.without_constant for each in found])
