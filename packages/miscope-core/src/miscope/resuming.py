"""Where a training goes on: the state it is in, found among what earlier runs left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from miscope.errors import BadValue

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.store import Store
    from miscope.training_state import TrainingState

__all__ = ["state_to_resume", "weights_of"]


def state_to_resume(store: Store, variant: str, interventions: Sequence[str]) -> TrainingState | None:
    """The state to go on from; None where nothing was trained. BadValue if it was reached under other interventions."""
    state = store.load_training_state(variant)
    if state is None:
        return None
    before, now = store.variant_record(variant).facts.get("interventions", []), list(interventions)
    if before != now:
        raise BadValue(
            f"{variant} was trained under other interventions.",
            f"Before: {before or 'none'}; now: {now or 'none'}.",
            "Give the same ones, or begin again with resume=False.",
        )
    return state


def weights_of(store: Store, variant: str, state: TrainingState) -> Mapping[str, Tensor]:
    """The state's weights by role: its own, or those of the checkpoint at its step."""
    return state.weights or store.load_checkpoint(variant, state.step).weights
