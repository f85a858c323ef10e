"""Logits with only some functions of the answer left in them, or without them, and what that does to the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from miscope.basis import Basis, Block
from miscope.probe import Probe

__all__ = ["accuracies", "along", "class_mean_directions", "losses", "own", "restrict"]


def along(logits: Tensor, labels: Tensor, basis: Basis, block: Block) -> Tensor:
    """The part of the logits (N, q) along the block's functions of the answer."""
    functions = torch.from_numpy(basis.rows[list(block.rows)])[:, labels]
    return functions.T @ torch.linalg.pinv(functions @ functions.T) @ (functions @ logits)


def own(logits: Tensor, labels: Tensor, basis: Basis, block: Block) -> Tensor:
    """The part of the logits along the block's function of answer and output: cos k(a + b - c) for a sum."""
    rows = torch.from_numpy(basis.rows[list(block.rows)])
    kernel = rows[:, labels].T @ rows
    return kernel * ((logits - logits.mean(dim=1, keepdim=True)) * kernel).sum() / kernel.square().sum()


def restrict(logits: Tensor, labels: Tensor, basis: Basis, blocks: Sequence[Block]) -> tuple[Tensor, Tensor]:
    """Logits restricted to the blocks' functions of the answer and the mean, and logits without those functions."""
    rest = logits
    if blocks:
        rows = tuple(row for block in blocks for row in block.rows)
        rest = logits - along(logits, labels, basis, Block("", rows))
    return logits - rest + rest.mean(dim=0), rest


def class_mean_directions(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Principal directions of the class means of logits (N, V), (V, V) by column, and their variances, falling.

    Every input counts alike, so that large classes weigh more.
    """
    counts = torch.bincount(labels).to(logits.dtype)
    sums = torch.zeros(len(counts), logits.shape[1], dtype=logits.dtype)
    sums.index_add_(0, labels, logits - logits.mean(dim=0))
    scaled = sums / counts.clamp_min(1).sqrt().unsqueeze(1)
    variance, directions = torch.linalg.eigh(scaled.T @ scaled / len(logits))
    return directions.flip(1), variance.flip(0).clamp_min(0)


def losses(logits: Tensor, probe: Probe) -> dict[str, float]:
    """Mean cross-entropy in nats by part of the data, the training set first where it is known."""
    assert probe.labels is not None
    each = torch.nn.functional.cross_entropy(logits, probe.labels, reduction="none")
    return _by_part(each, probe.train)


def accuracies(logits: Tensor, probe: Probe) -> dict[str, float]:
    """Share of inputs whose largest logit is the right one, by part of the data."""
    return _by_part((logits.argmax(dim=1) == probe.labels).double(), probe.train)


def _by_part(each: Tensor, train: np.ndarray | None) -> dict[str, float]:
    if train is None or train.all() or not train.any():
        return {"all": float(each.mean())}
    seen = torch.from_numpy(train)
    return {"train": float(each[seen].mean()), "test": float(each[~seen].mean()), "all": float(each.mean())}
