"""What training needs to know of a family: data, an objective, the first weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, final

from miscope.callbacks import Callbacks
from miscope.example_stream import ExampleStream
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
    """What is trained on; with a `stream` examples of the same kind that are not held out, which callbacks and
    instruments of the loss are given."""
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
    stream: ExampleStream | None = None
    """What updates draw instead of rows of `train`, as many as the training's batch size, else as `train` has; what is
    recorded as train_<name> is then of the examples of that update. None: they take rows of `train`."""
