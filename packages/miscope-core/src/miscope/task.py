"""What training needs to know of a family: data, a loss, an evaluation, the first weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, final

from miscope.field_docs import documented

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Examples", "Forward", "Task"]

Forward: TypeAlias = "Callable[[Mapping[str, Tensor], Tensor], Tensor]"
"""(weights by role, inputs) -> logits where the task asks for an answer."""


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Examples:
    """Inputs (n, ...) and the right answers, int64: (n,), or (n, position) where every position is asked."""

    inputs: Tensor
    """(n, ...), whatever the model takes."""
    labels: Tensor
    """(n,) int64, or (n, position)."""

    def __len__(self) -> int:
        return len(self.inputs)


@final
@documented
@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """Everything the training loop needs; pure functions of weights and data."""

    train: Examples
    """What is trained on."""
    test: Examples
    """What is held out."""
    initial_weights: Callable[[], dict[str, Tensor]]
    """By role, freshly drawn from the variant's seed; the same at every call."""
    loss: Callable[[Tensor, Tensor], Tensor]
    """(logits in the loss dtype, labels) -> differentiable scalar, the mean in nats."""
    evaluate: Callable[[Tensor, Tensor], Mapping[str, Tensor]]
    """(logits, labels) -> 0-d tensors; recorded as train_<name> and test_<name>. Holds 'loss' and, where it means
    something, 'accuracy'."""
    logits: Forward | None = None
    """Exact algebra faster than the hooked model, same values and gradients to
    rounding. Never used while an intervention is active. None: run the model."""
    positions: Literal["answer", "all"] = "answer"
    """Where an answer is asked: logits are (n, vocabulary) at the answer position, or (n, position, vocabulary). With
    'all', `loss` and `evaluate` decide by the labels which positions count (PyTorch ignores the label -100)."""
