"""What training needs to know of a family: data, an objective, the first weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, final

from miscope.callbacks import Callbacks
from miscope.examples import Examples
from miscope.field_docs import documented
from miscope.objective import Objective

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Examples", "Forward", "Task"]

Forward: TypeAlias = "Callable[[Mapping[str, Tensor], Tensor], Tensor]"
"""(weights by role, inputs) -> logits where the objective reads them."""


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
    objective: Objective
    """What is descended and recorded: `miscope.classification()`, `miscope.next_token()`, or one's own."""
    logits: Forward | None = None
    """Exact algebra faster than the hooked model, same values and gradients to rounding; for an objective that reads
    nothing but the logits. Never used while an intervention is active. None: run the model."""
    callbacks: Callbacks | None = None
    """What is done beside going down the gradient."""
