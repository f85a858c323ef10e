"""Loss and accuracy at the positions at which something is asked."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from miscope_toys.sequences import IGNORED

__all__ = ["evaluate", "loss"]


def loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy in nats over the asked positions of (n, position, vocabulary) logits."""
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)


def evaluate(logits: Tensor, labels: Tensor) -> Mapping[str, Tensor]:
    """The loss, and the share of asked positions whose right token has the largest logit."""
    asked = labels != IGNORED
    right = (logits.argmax(-1) == labels)[asked]
    return {"loss": loss(logits, labels), "accuracy": right.double().mean()}
