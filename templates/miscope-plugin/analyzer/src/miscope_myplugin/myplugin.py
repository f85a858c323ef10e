"""Stable rank of every weight matrix: how many directions a matrix really uses."""

from __future__ import annotations

import numpy as np
from miscope import Analyzer, Arrays, Grain, Needs, Snapshot

__all__ = ["STABLE_RANK", "stable_rank"]


def stable_rank(snapshot: Snapshot) -> Arrays:
    """Stable rank of each weight matrix, ||W||_F^2 / ||W||_2^2.

    One number per matrix, or one per head where the weights are (head, row, column); NaN where all weights are zero.
    """
    ranks = {}
    for role, tensor in snapshot.weights.items():
        if tensor.ndim >= 2:
            squares = np.linalg.svd(tensor.double().numpy(), compute_uv=False) ** 2
            with np.errstate(invalid="ignore"):
                ranks[role] = np.asarray(squares.sum(-1) / squares.max(-1))
    return ranks


STABLE_RANK = Analyzer(
    name="myplugin.stable_rank",
    version=1,
    grain=Grain.CHECKPOINT,
    compute=stable_rank,
    needs=Needs(weights=("*",)),
    not_invariant_to=("relu scaling",),
    question="How many directions does a weight matrix really use?",
    formula="sum of s_i^2 over s_1^2, with singular values s_1 >= s_2 >= ...",
    source="Rudelson & Vershynin 2007 (arXiv math/0503442)",
    outputs={"ROLE": "stable rank of that weight, between 1 and its rank: () for a matrix, (head,) for one per head"},
)
