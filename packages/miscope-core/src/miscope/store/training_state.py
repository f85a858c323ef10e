"""What a training needs beyond its weights to go on exactly where it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TrainingState"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingState:
    """Optimizer state, random generators and counters at a step boundary."""

    step: int
    """Optimizer updates so far; the weights are those of the checkpoint at this step, unless given here."""
    optimizer_state: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    """By role, then by the optimizer's own name: {'W_E': {'exp_avg': ..., 'exp_avg_sq': ...}}."""
    weights: Mapping[str, Tensor] = field(default_factory=dict)
    """By role, where the step leaves no checkpoint."""
    buffers: Mapping[str, Tensor] = field(default_factory=dict)
    """By name, the training's own tensors, of a task with callbacks: counters, running means."""
    generators: Mapping[str, Tensor] = field(default_factory=dict)
    """State of each random generator, uint8: {'cpu': ...}."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """Anything else that JSON can hold: the resolved param_groups, the adaptive schedule's last decision."""
