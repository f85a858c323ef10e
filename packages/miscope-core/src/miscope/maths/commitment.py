"""How units settle on one of several choices over time, of (T, M) choice numbers with -1 for none."""

from __future__ import annotations

import numpy as np

__all__ = ["commitments", "switches", "transients", "transitions"]


def commitments(choice: np.ndarray) -> np.ndarray:
    """(M,) first row from which each unit's choice stays what it is at the end; -1 where that is none."""
    differs = choice != choice[-1]
    last_other = np.where(differs.any(axis=0), len(choice) - 1 - differs[::-1].argmax(axis=0), -1)
    return np.where(choice[-1] >= 0, last_other + 1, -1)


def switches(choice: np.ndarray) -> np.ndarray:
    """(M,) times each unit chose something else than what it had chosen last; a pause without a choice is none."""
    count = np.zeros(choice.shape[1], dtype=np.int64)
    before = choice[0].copy()
    for now in choice[1:]:
        count += (now >= 0) & (before >= 0) & (now != before)
        before = np.where(now >= 0, now, before)
    return count


def transitions(choice: np.ndarray, choices: int) -> tuple[np.ndarray, np.ndarray]:
    """(K, K) switches from each choice to each other one, and (T,) how many there were by row; pauses are bridged."""
    matrix, when = np.zeros((choices, choices), dtype=np.int64), np.zeros(len(choice), dtype=np.int64)
    before = choice[0].copy()
    for row, now in enumerate(choice[1:], start=1):
        moved = (now >= 0) & (before >= 0) & (now != before)
        np.add.at(matrix, (before[moved], now[moved]), 1)
        when[row] = moved.sum()
        before = np.where(now >= 0, now, before)
    return matrix, when


def transients(sizes: np.ndarray, *, neurons: int, ever: float, final: float) -> np.ndarray:
    """(K,) whether each choice, of sizes (T, K), once held the share `ever` of all units and came down from it.

    It has come down if it ends below the share `final` and below half of its largest size: a choice that grows
    slowly through that range to the end is young, not transient.
    """
    peak, end = sizes.max(axis=0), sizes[-1]
    return (peak >= ever * neurons) & (end < final * neurons) & (2 * end < peak)
