"""What a training leaves behind, in an order from which any kill can be recovered.

Metrics first, then the checkpoint, then the state that names its step: so a state never speaks of what is not there,
and whatever was written after the state is written again, with the same numbers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from miscope.checkpoint import Checkpoint
from miscope.errors import Diverged
from miscope.store.training_state import TrainingState
from miscope.training import optimizing

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.store.ledger import RunLog
    from miscope.store.store import Store
    from miscope.training.remarked import RemarksUnderWay
    from miscope.training.trainer import Trainer
    from miscope.training.watched import Watched
    from miscope.training_config import TrainingConfig

__all__ = ["CheckpointWriter", "state_of"]

_WRITE_EVERY = 0.2
"""Seconds after which metrics that are reported are written too, for whoever looks at the training."""
_WRITES_TAKE = 0.05
"""Of the time at most, where writing is slow."""
_AT_ONCE = 0.5
"""Seconds of writing that need not be waited for: parts are merged once in many writes, and nobody waits for that."""


@final
class CheckpointWriter:
    """Writes one variant's metrics, checkpoints and training states."""

    def __init__(
        self, store: Store, log: RunLog, variant: str, config: TrainingConfig, remarks: RemarksUnderWay
    ) -> None:
        self._store, self._log, self._variant, self._config = store, log, variant, config
        self._remarks = remarks
        self._seen: list[tuple[int, Mapping[str, Tensor]]] = []
        self._rows: list[tuple[int, str, float]] = []
        self._written, self._owed = time.monotonic(), 0.0
        self.latest: dict[str, float] = {}
        """Metrics of the last fetched step."""
        self._watched: dict[str, float] = {}

    @property
    def latest_metrics(self) -> dict[str, float]:
        """The last of every metric, those of watched instruments among them."""
        return self.latest | self._watched

    def note_watched(self, step: int, seen: Watched) -> None:
        """Remember what watching instruments saw, and write down which of them are watched no longer."""
        self._rows += [(step, name, value) for name, value in seen.metrics.items()]
        self._watched |= seen.metrics
        for name, outcome in seen.lost.items():
            for metric in [metric for metric in self._watched if metric.startswith(f"{name}/")]:
                del self._watched[metric]
            why = {"state": outcome.state, "error": outcome.error, "trace": outcome.trace}
            self._log.write("failure", analyzers=[name], step=step, **why)

    def note(self, step: int, metrics: Mapping[str, Tensor]) -> None:
        """Remember a step's metrics; they stay on their device until fetched."""
        self._seen.append((step, metrics))

    def fetch(self) -> None:
        """Take the noted metrics from the device in one go; Diverged at the first loss that is no number."""
        import torch

        if not self._seen:
            return
        # Terms that are not active at every step make steps of different length.
        values = iter(torch.stack([value.double() for _, metrics in self._seen for value in metrics.values()]).tolist())
        for step, metrics in self._seen:
            numbers = {name: next(values) for name in metrics}
            if not all(math.isfinite(value) for name, value in numbers.items() if name.endswith(("loss", "total"))):
                self._seen.clear()
                self.flush()
                last = max((s for s in self._store.steps(self._variant) if s < step), default=0)
                raise Diverged(self._variant, step, last, cure=_cure(self._config))
            self._rows += [(step, name, value) for name, value in numbers.items()]
            self.latest = numbers
            self._remarks.note(step, numbers)
        self._seen.clear()

    def remarks(self, step: int) -> list[str]:
        """What is to be told of the fetched metrics, written down."""
        found = self._remarks.new()
        for each in found:
            self._log.write("warning", step=step, field=each.field, reason=each.message)
        return [str(each) for each in found]

    def report(self) -> None:
        """Fetch, and write unless that was just done; whoever goes on from a state drops what is later."""
        rested = time.monotonic() - self._written
        if rested > _WRITE_EVERY and self._owed - rested * _WRITES_TAKE <= _AT_ONCE:
            self.flush()
        else:
            self.fetch()

    def flush(self) -> None:
        """Write the fetched metrics."""
        self.fetch()
        began = time.monotonic()
        self._store.append_metrics(self._variant, self._rows)
        self._rows.clear()
        # What writing took is paid off by its share of the time between two ends of it.
        owed, before = self._owed + time.monotonic() - began, self._written
        self._written = time.monotonic()
        self._owed = max(0.0, owed - (self._written - before) * _WRITES_TAKE)

    def checkpoint(self, step: int, trainer: Trainer, facts: Mapping[str, Any]) -> Path:
        """Keep the weights with their metrics, and the state to go on from."""
        self.flush()
        weights = {role: w.detach() for role, w in trainer.weights.items()}
        path = self._store.save_checkpoint(self._variant, Checkpoint(step=step, weights=weights, metrics=self.latest))
        state = replace(state_of(step, trainer, facts), weights={})
        if self._config.save_optimizer:
            self._store.save_training_state(self._variant, state, step=step)
        self._store.save_training_state(self._variant, state)
        self._log.write("checkpoint", step=step)
        return path

    def state(self, step: int, trainer: Trainer, facts: Mapping[str, Any]) -> None:
        """Keep a state with its weights, where no checkpoint is wanted."""
        self.flush()
        self._store.save_training_state(self._variant, state_of(step, trainer, facts))

    def decision(self, **facts: object) -> None:
        """Record why an adaptive schedule keeps this step."""
        self._log.write("decision", **facts)


def state_of(step: int, trainer: Trainer, facts: Mapping[str, Any], *, optimizer: bool = True) -> TrainingState:
    """What is needed to go on from this step; the weights themselves, and copies of what the optimizer remembers."""
    optimizer_state = optimizing.optimizer_state(trainer.optimizer, trainer.weights) if optimizer else {}
    weights = {role: w.detach() for role, w in trainer.weights.items()}
    return TrainingState(
        step=step, optimizer_state=optimizer_state, weights=weights, buffers=trainer.buffers, facts=facts
    )


def _cure(config: TrainingConfig) -> str:
    """What keeps a loss finite, without what is set so already."""
    cures = {"set clip_norm": config.clip_norm is None, "raise loss_dtype to float64": config.loss_dtype != "float64"}
    return " or ".join(["Lower learning_rate", *(cure for cure, helps in cures.items() if helps)])
