"""The margin by which an ideal clock with given frequencies tells the right answer from the nearest wrong one."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import combinations

import numpy as np

__all__ = ["best_margin", "canonical", "margin", "margins_at_random"]


def margin(frequencies: Sequence[int], p: int, amplitudes: np.ndarray | None = None) -> float:
    """min over r != 0 of sum_k a_k (1 - cos 2 pi k r / p), amplitudes 1 unless given; 0 without a frequency.

    What the logits sum_k a_k cos 2 pi k (a + b - c) / p of a clock (Nanda et al. 2023) put between right and wrong.
    Twice it is the squared distance of the nearest two classes on the circles of those frequencies.
    """
    if not len(frequencies):
        return 0.0
    a = np.ones(len(frequencies)) if amplitudes is None else amplitudes
    return float((a @ _falls(p)[np.asarray(frequencies) - 1]).min())


@functools.cache
def _falls(p: int) -> np.ndarray:
    """(K, R): 1 - cos 2 pi k r / p, k and r from 1 to p // 2; -r gives the same as r."""
    half = np.arange(1, p // 2 + 1)
    return 1 - np.cos(2 * np.pi * np.outer(half, half) / p)


@functools.cache
def best_margin(count: int, p: int, most: int = 500_000) -> float:
    """Largest margin of so many equal frequencies, by trying all sets that hold 1; NaN where there are more than that.

    Multiplying all frequencies by a unit permutes the classes and leaves the margin, so for a prime p every set has an
    image that holds 1, and no other set need be tried.
    """
    from math import comb

    prime = p > 2 and all(p % d for d in range(2, int(p**0.5) + 1))
    frequencies = p // 2
    if not prime or not 0 < count <= frequencies or comb(frequencies - 1, count - 1) > most:
        return float("nan")
    falls = _falls(p)
    rest = count - 1
    if rest == 0:
        return float(falls[0].min())
    best = 0.0
    for chosen in combinations(range(1, frequencies), rest - 1):
        start = chosen[-1] + 1 if chosen else 1
        if start < frequencies:
            base = falls[[0, *chosen]].sum(axis=0)
            best = max(best, float((base + falls[start:]).min(axis=1).max()))
    return best


@functools.cache
def margins_at_random(count: int, p: int, draws: int, seed: int) -> np.ndarray:
    """(draws,) ascending margins of sets of so many distinct frequencies, drawn uniformly."""
    random = np.random.default_rng([seed, count, p])
    falls = _falls(p)
    chosen = random.random((draws, len(falls))).argpartition(count - 1, axis=1)[:, :count]
    margins = np.sort(falls[chosen].sum(axis=1).min(axis=1))
    margins.flags.writeable = False
    return margins


def canonical(frequencies: Sequence[int], p: int) -> tuple[int, ...]:
    """The first, in lexical order, of a set's images under multiplication by units: alike for equivalent sets."""
    images = [
        tuple(sorted(min(k * u % p, p - k * u % p) for k in frequencies))
        for u in range(1, p // 2 + 1)
        if np.gcd(u, p) == 1
    ]
    return min(images, default=())
