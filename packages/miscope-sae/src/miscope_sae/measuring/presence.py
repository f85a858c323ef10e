"""At which checkpoints a latent is there, and since when: from the sizes of what it writes at each."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import final

import numpy as np

__all__ = ["Lifetimes", "born_in_any_order", "changes", "lifetimes", "presence", "towards"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Lifetimes:
    """Of m latents, by place in the row of checkpoints."""

    birth: np.ndarray
    """(m,) int, the first checkpoint at which each is there; -1 where it never is."""
    death: np.ndarray
    """(m,) int, the first after which it never is again; -1 where it stays to the last, or never is."""


def presence(norms: np.ndarray) -> np.ndarray:
    """(m, T) norms of what each latent writes, over the largest of its own; NaN of one that writes nothing."""
    most = norms.max(axis=1, keepdims=True)
    return np.divide(norms, most, out=np.full(norms.shape, np.nan), where=most > 0)


def lifetimes(share: np.ndarray, enter: float, leave: float) -> Lifetimes:
    """Of (m, T) presence: born above `enter` at two checkpoints running (or at the last), gone below `leave`.

    So what flickers between the two is not born and dies again and again.
    """
    above = share > enter
    following = np.concatenate([above[:, 1:], np.ones((len(share), 1), dtype=bool)], axis=1)
    there, held = np.zeros(share.shape, dtype=bool), np.zeros(len(share), dtype=bool)
    for at in range(share.shape[1]):
        held = (held & (share[:, at] >= leave)) | (above[:, at] & following[:, at])
        there[:, at] = held
    ever, count = there.any(axis=1), share.shape[1]
    gone = count - there[:, ::-1].argmax(axis=1)
    return Lifetimes(birth=np.where(ever, there.argmax(axis=1), -1), death=np.where(ever & (gone < count), gone, -1))


def changes(there: np.ndarray) -> tuple[int, float]:
    """How often latents of (m, T) bool come or go between two checkpoints, and how often in the mean if these were in
    any order: 2 k (T - k) / T of a latent that is there at k of T."""
    count = there.shape[1]
    k = there.sum(axis=1)
    return int((there[:, 1:] != there[:, :-1]).sum()), float((2 * k * (count - k) / count).sum())


def born_in_any_order(there: np.ndarray) -> np.ndarray:
    """(T,) how many latents of (m, T) bool are first there at each checkpoint, in the mean if these were in any order.

    Of one that is there at k of T the first is at place j in C(T - 1 - j, k - 1) of C(T, k) orders.
    """
    count = there.shape[1]
    lengths = np.bincount(there.sum(axis=1), minlength=count + 1)
    expected = np.zeros(count)
    for k in range(1, count + 1):
        expected += lengths[k] * np.array([comb(count - 1 - place, k - 1) for place in range(count)]) / comb(count, k)
    return expected


def towards(directions: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m, T) cosine of (m, T, d) directions with the last one at which each latent is there; (m, T - 1) with the next.

    NaN where it is not there: what it writes then has no direction to speak of.
    """
    lengths = np.linalg.norm(directions, axis=2, keepdims=True)
    unit = np.divide(directions, lengths, out=np.zeros_like(directions), where=lengths > 0)
    last = there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    final = unit[np.arange(len(unit)), last]
    to_last = np.where(there, np.einsum("mtd,md->mt", unit, final), np.nan)
    both = there[:, 1:] & there[:, :-1]
    return to_last, np.where(both, np.einsum("mtd,mtd->mt", unit[:, 1:], unit[:, :-1]), np.nan)
