"""Logits with only some functions of the answer left in them, or without them, and what that does to the loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from miscope.basis import Basis, Block
from miscope.lazily import torch
from miscope.probe import Probe

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["accuracies", "along", "class_mean_directions", "losses", "losses_without", "own", "restrict"]


def along(logits: Tensor, labels: Tensor, basis: Basis, block: Block) -> Tensor:
    """The part of the logits (N, q) along the block's functions of the answer."""
    functions = torch.from_numpy(basis.rows[list(block.rows)])[:, labels]
    return functions.T @ torch.linalg.pinv(functions @ functions.T) @ (functions @ logits)


def own(logits: Tensor, labels: Tensor, basis: Basis, blocks: Sequence[Block]) -> Tensor:
    """The part of the logits along the blocks' functions of answer and output: cos k(a + b - c) for a sum."""
    q = basis.size
    centred = logits - logits.mean(dim=1, keepdim=True)
    sums = torch.zeros(q, q, dtype=logits.dtype).index_add_(0, labels, centred)
    counts = torch.bincount(labels, minlength=q).to(logits.dtype)
    part = torch.zeros_like(sums)
    for block in blocks:
        rows = torch.from_numpy(basis.rows[list(block.rows)])
        kernel = rows.T @ rows
        part += kernel * ((sums * kernel).sum() / (kernel.square().sum(dim=1) @ counts))
    return part[labels]


def restrict(logits: Tensor, labels: Tensor, basis: Basis, blocks: Sequence[Block]) -> tuple[Tensor, Tensor]:
    """Logits restricted to the blocks' functions of the answer and the mean, and logits without those functions."""
    rest = logits
    if blocks:
        rows = tuple(row for block in blocks for row in block.rows)
        rest = logits - along(logits, labels, basis, Block("", rows))
    return logits - rest + rest.mean(dim=0), rest


def losses_without(logits: Tensor, labels: Tensor, basis: Basis, rows: Tensor) -> np.ndarray:
    """(K,) mean cross-entropy, nats, over some rows of logits (N, q) without each block's functions of the answer.

    What a block's functions of the answer take away is the same for all inputs of a class, so that the sums over
    outputs are one product of matrices a class for all blocks together.
    """
    q, blocks = basis.size, basis.components
    sums = torch.zeros(q, q, dtype=logits.dtype).index_add_(0, labels, logits)
    counts = torch.bincount(labels, minlength=q).to(logits.dtype)
    taken = torch.stack([_by_class(sums, counts, basis, block) for block in blocks], dim=2)
    total = logits.new_zeros(len(blocks))
    for label in labels[rows].unique().tolist():
        members = logits[rows[labels[rows] == label]]
        over = members - members[:, label, None]
        # How far each other output rises over the right one when the block is taken away.
        rise = taken[label, label] - taken[label]
        over[:, label] = -torch.inf
        top, most = over.max(dim=1, keepdim=True).values, rise.max(dim=0, keepdim=True).values
        sum_of_others = (over - top).exp() @ (rise - most).exp()
        total += torch.logaddexp(sum_of_others.log() + top + most, logits.new_zeros(())).sum(dim=0)
    return (total / len(rows)).numpy()


def _by_class(sums: Tensor, counts: Tensor, basis: Basis, block: Block) -> Tensor:
    """(class, output) the part of the logits along the block's functions of the answer, from sums over each class."""
    functions = torch.from_numpy(basis.rows[list(block.rows)])
    return functions.T @ torch.linalg.pinv((functions * counts) @ functions.T) @ (functions @ sums)


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
