"""One training in the seed's words, from its header to what became of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np

from miscope.cli.printing import note
from miscope.store.best_checkpoint import best_checkpoint
from miscope.train_options import TrainOptions
from miscope.train_request import TrainRequest, train_request
from miscope_lal.seed.trainer_config import TrainerConfig

if TYPE_CHECKING:
    from miscope.variant import Variant
    from miscope.workspace import Workspace

__all__ = ["GROKKED", "TrainingRun"]

GROKKED = 0.95
"""Test accuracy from which the seed says that a model grokked."""


@final
@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """What a configuration asks for, and where its files go."""

    config: TrainerConfig
    variant: Variant
    steps: int | None
    """How far, where that is another number than the configuration's."""
    device: str
    threads: int | None
    output: Path | None

    @property
    def request(self) -> TrainRequest:
        """The training, its log lines and what is watched."""
        config = self.config
        options = TrainOptions(
            steps=self.steps,
            device=self.device,
            threads=self.threads,
            watch=config.watch,
            log_every=config.log_every,
        )
        return train_request(self.variant, options)

    def queue(self, workspace: Workspace) -> int:
        """Put it into the queue; 0."""
        from miscope.cli.queueing import enqueue

        enqueue(workspace, [self.request], priority=0, after=(), as_json=False)
        return 0

    def train(self, workspace: Workspace) -> int:
        """Train here, with the seed's header and its last words; the exit code."""
        from miscope.cli.training_report import train_and_tell

        note(f"{self.variant.name}  in {workspace.root}")
        note(self._header(workspace))
        code = train_and_tell(workspace, self.request, self.variant.name)
        if code == 0:
            note(ending(workspace, self.variant.name))
        if self.output is not None:
            # Of a stopped one too: what was recorded until then is its table.
            self._write(workspace, self.output)
        return code

    def _header(self, workspace: Workspace) -> str:
        config, roles = self.config, workspace.context(self.variant).model.roles.values()
        count = sum(int(np.prod(role.shape)) for role in roles)
        name = f"{config.name}: " * bool(config.name)
        return f"{name}{config.model_type}, {config.n_layers} layers of {config.hidden_dim}, {count:,} parameters"

    def _write(self, workspace: Workspace, folder: Path) -> None:
        """history.parquet and config.json, as the seed leaves them."""
        from miscope.store.atomic import make_folder, write_whole
        from miscope_lal.seed.history import write_history

        make_folder(folder)
        # Extended, a training has more epochs than the file says.
        epochs = max(self.config.epochs, max(workspace.store.steps(self.variant.name), default=0))
        text = json.dumps(self.config.model_dump(mode="json") | {"epochs": epochs}, indent=2)
        write_whole(folder / "config.json", lambda file: file.write(f"{text}\n".encode()))
        note(f"{write_history(workspace, self.variant, folder / 'history.parquet')}")


def ending(workspace: Workspace, name: str) -> str:
    """The best test accuracy and when it was, and whether it ever was 95 %."""
    accuracy = workspace.store.metrics(name).get("test_accuracy")
    if accuracy is None:
        return "No test accuracy was recorded."
    best = int(np.argmax(accuracy.values))
    grokked = np.flatnonzero(accuracy.values >= GROKKED)
    told = f"Best test accuracy: {accuracy.values[best]:.1%} at epoch {accuracy.steps[best]}. "
    if len(grokked):
        told += f"Grokking occurred at step {accuracy.steps[grokked[0]]}."
    else:
        told += f"It did not reach {GROKKED:.0%}."
    kept = best_checkpoint(workspace.store.steps(name), {"test_accuracy": accuracy})
    return told if kept is None else f"{told} Best checkpoint: step {kept.step} ({kept.value:.1%}), for --step best."
