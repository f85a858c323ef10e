"""The objectives of classifiers and of language models: cross-entropy at the answer, or at every position."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from miscope.objective import IGNORED, ForwardPass, Objective, Term

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["CROSS_ENTROPY", "accuracy", "classification", "next_token"]


def cross_entropy(seen: ForwardPass) -> Tensor:
    """Mean over the labels that count, in nats."""
    from torch.nn.functional import cross_entropy

    logits, labels = seen.logits, seen.labels
    if labels.ndim > 1:
        logits, labels = logits.flatten(0, 1), labels.flatten()
    return cross_entropy(logits, labels, ignore_index=IGNORED)


def accuracy(seen: ForwardPass) -> Mapping[str, Tensor]:
    """The share of labels that count whose right answer has the largest logit."""
    asked = seen.labels != IGNORED
    right = (seen.logits.argmax(-1) == seen.labels)[asked]
    return {"accuracy": right.double().mean()}


CROSS_ENTROPY = Term(name="cross_entropy", value=cross_entropy)


def classification(metrics: Callable[[ForwardPass], Mapping[str, Tensor]] = accuracy) -> Objective:
    """Cross-entropy of the right answers at the answer (last) position, in nats; records loss and accuracy."""
    return Objective(terms=(CROSS_ENTROPY,), metrics=metrics)


def next_token(metrics: Callable[[ForwardPass], Mapping[str, Tensor]] = accuracy) -> Objective:
    """Cross-entropy at every position whose label is not -100, in nats; records loss and accuracy over them."""
    return Objective(terms=(CROSS_ENTROPY,), metrics=metrics, positions="all")
