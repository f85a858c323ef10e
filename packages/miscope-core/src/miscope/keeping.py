"""What a training leaves behind, in an order from which any kill can be recovered.

Metrics first, then the checkpoint, then the state that names its step: so a state never speaks of what is not there,
and whatever was written after the state is written again, with the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from miscope import optimizing
from miscope.checkpoint import Checkpoint
from miscope.errors import Diverged
from miscope.training_state import TrainingState

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.learner import Learner
    from miscope.ledger import RunLog
    from miscope.store import Store

__all__ = ["Keeper"]


@final
class Keeper:
    """Writes one variant's metrics, checkpoints and training states."""

    def __init__(self, store: Store, log: RunLog, variant: str, *, optimizer: bool) -> None:
        """optimizer: keep its moments beside every checkpoint."""
        self._store, self._log, self._variant, self._optimizer = store, log, variant, optimizer
        self._seen: list[tuple[int, Mapping[str, Tensor]]] = []
        self._rows: list[tuple[int, str, float]] = []
        self.latest: dict[str, float] = {}
        """Metrics of the last settled step."""

    def note(self, step: int, metrics: Mapping[str, Tensor]) -> None:
        """Remember a step's metrics; they stay on their device until settled."""
        self._seen.append((step, metrics))

    def settle(self) -> None:
        """Take the noted metrics from the device in one go; Diverged at the first loss that is no number."""
        import torch

        if not self._seen:
            return
        # Terms that are not active at every step make steps of different length.
        values = iter(torch.stack([value.double() for _, metrics in self._seen for value in metrics.values()]).tolist())
        for step, metrics in self._seen:
            found = {name: next(values) for name in metrics}
            if not all(math.isfinite(value) for name, value in found.items() if name.endswith(("loss", "total"))):
                self._seen.clear()
                self.flush()
                raise Diverged(
                    self._variant, step, max((s for s in self._store.steps(self._variant) if s < step), default=0)
                )
            self._rows += [(step, name, value) for name, value in found.items()]
            self.latest = found
        self._seen.clear()

    def flush(self) -> None:
        """Write the settled metrics."""
        self.settle()
        self._store.append_metrics(self._variant, self._rows)
        self._rows.clear()

    def checkpoint(self, step: int, learner: Learner, facts: Mapping[str, Any]) -> Path:
        """Keep the weights with their metrics, and the state to go on from."""
        self.flush()
        weights = {role: w.detach() for role, w in learner.weights.items()}
        path = self._store.save_checkpoint(self._variant, Checkpoint(step=step, weights=weights, metrics=self.latest))
        state = _state_of(step, learner, facts)
        if self._optimizer:
            self._store.save_training_state(self._variant, state, step=step)
        self._store.save_training_state(self._variant, state)
        self._log.write("checkpoint", step=step)
        return path

    def state(self, step: int, learner: Learner, facts: Mapping[str, Any]) -> None:
        """Keep a state with its weights, where no checkpoint is wanted."""
        self.flush()
        weights = {role: w.detach() for role, w in learner.weights.items()}
        self._store.save_training_state(self._variant, replace(_state_of(step, learner, facts), weights=weights))

    def decision(self, **facts: object) -> None:
        """Record why an adaptive schedule keeps this step."""
        self._log.write("decision", **facts)


def _state_of(step: int, learner: Learner, facts: Mapping[str, Any]) -> TrainingState:
    """What is needed beside the weights to go on from this step."""
    moments = optimizing.moments(learner.optimizer, learner.weights)
    return TrainingState(step=step, moments=moments, buffers=learner.buffers, facts=facts)
