"""What a change to a model does to its answers, input by input: the difference, and how well the sample tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.lazily import torch
from miscope.probe import Probe

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Answers", "Sample", "answered", "changes", "drawn", "interaction", "levels"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Inputs drawn from a probe, with what is known of them."""

    inputs: Tensor
    labels: Tensor
    parts: Mapping[str, np.ndarray]
    """Masks (n,): 'train' and 'test' where the training set is known, and 'all'."""


def drawn(probe: Probe, count: int, seed: int) -> Sample:
    """So many inputs at random, the same for the same seed; all of them for 0, or where there are no more."""
    assert probe.labels is not None
    total = len(probe.inputs)
    rows = np.arange(total)
    if 0 < count < total:
        rows = np.sort(np.random.default_rng(seed).permutation(total)[:count])
    parts = {}
    if probe.train is not None:
        parts = {"train": probe.train[rows], "test": ~probe.train[rows]}
    parts = {name: mask for name, mask in parts.items() if mask.any()} | {"all": np.ones(len(rows), dtype=bool)}
    chosen = torch.from_numpy(rows)
    return Sample(inputs=probe.inputs[chosen], labels=probe.labels[chosen], parts=parts)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """How each input was answered."""

    loss: np.ndarray
    """(n,) nats."""
    right: np.ndarray
    """(n,) 1 or 0."""


def answered(logits: Tensor, labels: Tensor) -> Answers:
    """Of logits (n, vocabulary) and the right answers (n,); in float64, exact for however small a loss."""
    exact = logits.double()
    answer = exact.gather(-1, labels[:, None])[:, 0]
    others = exact.scatter(-1, labels[:, None], -torch.inf)
    loss = torch.nn.functional.softplus(others.logsumexp(dim=-1) - answer)
    return Answers(loss=loss.numpy(), right=(answer > others.amax(dim=-1)).double().numpy())


def levels(answers: Answers, parts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Mean loss and accuracy of each part: 'test_loss', 'test_accuracy', ..."""
    means = {}
    for name, mask in parts.items():
        means[f"{name}_loss"] = np.array(answers.loss[mask].mean())
        means[f"{name}_accuracy"] = np.array(answers.right[mask].mean())
    return means


def changes(clean: Answers, changed: Answers, parts: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Change of loss and accuracy in each part with its standard error: 'test/loss', 'test/loss_sem', ...

    The same inputs are answered both times, so the error is that of the mean of their differences.
    """
    return _means(changed.loss - clean.loss, changed.right - clean.right, parts)


def interaction(
    clean: Answers, one: Answers, other: Answers, both: Answers, *, parts: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """By how much two changes together differ from the sum of either, named and with errors as by `changes`."""
    loss = both.loss - one.loss - other.loss + clean.loss
    return _means(loss, both.right - one.right - other.right + clean.right, parts)


def _means(loss: np.ndarray, right: np.ndarray, parts: Mapping[str, np.ndarray]) -> dict[str, float]:
    means: dict[str, float] = {}
    for name, mask in parts.items():
        for what, values in (("loss", loss[mask]), ("accuracy", right[mask])):
            means[f"{name}/{what}"] = float(values.mean())
            error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
            means[f"{name}/{what}_sem"] = float(error)
    return means
