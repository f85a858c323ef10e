"""The weights of a model at one step of its training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from miscope.field_docs import documented

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Checkpoint"]


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """Weights by role at a step, with that step's metrics."""

    step: int
    """Optimizer updates so far; 0 is the initialisation."""
    weights: Mapping[str, Tensor]
    """By role name ('W_E', 'blocks.0.attn.W_Q'), in TransformerLens orientation."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Metrics of these very weights: 'train_loss', 'test_loss', ..."""
