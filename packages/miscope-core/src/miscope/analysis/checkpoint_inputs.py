"""One checkpoint with what was made of it for all instruments of a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast, final

from miscope.checkpoint import Checkpoint
from miscope.optimizer_group import OptimizerGroup, recorded_groups
from miscope.store.training_state import TrainingState

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["CheckpointInputs"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class CheckpointInputs:
    """Weights, activations and the training's state at a step."""

    checkpoint: Checkpoint
    activations: Mapping[str, Mapping[str, Tensor]] = field(default_factory=dict)
    """Of every declared site, by 'answer' and 'all' positions."""
    state: TrainingState | None = None
    """Where it was kept beside the checkpoint, and an instrument needs it."""

    @property
    def optimizer_state(self) -> Mapping[str, Mapping[str, Tensor]]:
        """The optimizer's state by role."""
        return self.state.optimizer_state if self.state is not None else {}

    @property
    def optimizer_groups(self) -> tuple[OptimizerGroup, ...]:
        """As the optimizer itself had them, where a state holds that."""
        facts = self.state.facts if self.state is not None else {}
        return recorded_groups(cast("list[dict[str, Any]]", facts.get("optimizer_groups", [])))

    @property
    def buffers(self) -> Mapping[str, Tensor]:
        """The training's own tensors."""
        return self.state.buffers if self.state is not None else {}
