"""The seed's Trainer: a configuration trained in a workspace, by the training that everything else goes by."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, final

from miscope_lal.seed.history import history_table
from miscope_lal.seed.metrics_history import MetricsHistory
from miscope_lal.seed.networks import Network, create_model
from miscope_lal.seed.trainer_config import TrainerConfig
from miscope_lal.seed.training_run import TrainingRun

if TYPE_CHECKING:
    from miscope.variant import Variant

__all__ = ["Trainer"]


@final
class Trainer:
    """One training. What is there of it already is gone on with, and never overwritten."""

    def __init__(
        self, config: TrainerConfig, workspace: str | Path | None = None, *, device: str = "auto", threads: int = 1
    ) -> None:
        """workspace: None for the one in force. threads: of the CPU; 1 makes runs repeat bit by bit."""
        from miscope.workspace import open_workspace

        self.config, self.workspace = config, open_workspace(workspace)
        self.variant: Variant = self.workspace.variant(config.family, **config.fields)
        self._device, self._threads = device, threads

    def train(self, extra_epochs: int = 0, output_dir: Path | None = None) -> MetricsHistory:
        """To the configuration's last epoch, or so many beyond what was reached; its history.

        output_dir: where history.parquet and config.json are written too. Raises what stopped it.
        """
        steps = (self.steps[-1] if self.steps else 0) + extra_epochs if extra_epochs else None
        run = TrainingRun(
            config=self.config,
            variant=self.variant,
            steps=steps,
            device=self._device,
            threads=self._threads,
            output=output_dir,
        )
        run.train(self.workspace)
        return self.history

    @property
    def steps(self) -> list[int]:
        """Its checkpoints, ascending."""
        return self.workspace.store.steps(self.variant.name)

    @property
    def history(self) -> MetricsHistory:
        """A row for each logged epoch so far."""
        return MetricsHistory.of_table(history_table(self.workspace, self.variant))

    def model(self, step: int | None = None) -> Network:
        """The network with the weights of a checkpoint; None for the last."""
        config = self.config
        tokens = 3 if config.operation == "both" else 2
        is_tokens = config.family in ("lal.transformer", "lal.routed-transformer")
        sizes = {name: getattr(self.variant.params, name, None) for name in ("n_ffn_heads", "tie_embeddings")}
        made = create_model(
            config.model_type,
            config.p + tokens if is_tokens else 2 * config.p,
            config.hidden_dim,
            config.p,
            config.n_layers,
            n_heads=config.n_heads,
            seed=config.seed,
            **{name: value for name, value in sizes.items() if value is not None},
        )
        at = self.steps[-1] if step is None else step
        made.load(self.workspace.store.load_checkpoint(self.variant.name, at).weights)
        return made
