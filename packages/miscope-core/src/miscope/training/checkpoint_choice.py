"""Which steps of a training are evaluated and leave a checkpoint."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, final

from miscope.schedule import Adaptive, planned_steps
from miscope.training.adaptive import Pace, decide
from miscope.training.checkpoint_writer import CheckpointWriter
from miscope.training.resuming import Start
from miscope.training_config import TrainingConfig

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["CheckpointChoice"]


@final
class CheckpointChoice:
    """Steps that are evaluated and kept: those planned, and those an adaptive schedule decides on."""

    def __init__(self, config: TrainingConfig, there: Collection[int], start: Start) -> None:
        """there: steps that left a checkpoint before; they are evaluated again, since their metrics are dropped.

        A training that begins again writes all of them anew, and remembers which are still to be written.
        """
        self._every, self._schedule, self.there = config.evaluate_every, config.checkpoints, set(there)
        self._planned = planned_steps(config.checkpoints, config.steps)
        facts: Mapping[str, Any] = start.state.facts if start.state else {"again": there}
        self._again = {*start.damaged, *(step for step in facts.get("again", ()) if step >= start.step)}
        pace = facts.get("pace")
        self._pace = Pace.from_facts(pace) if pace else Pace()
        self._decided = -1

    @property
    def facts(self) -> dict[str, Any]:
        """What to remember for a training that goes on from here."""
        return {"pace": self._pace.as_facts(), **({"again": sorted(self._again)} if self._again else {})}

    def evaluates(self, step: int) -> bool:
        return step % self._every == 0 or step in self._planned or step in self.there or step in self._again

    def observe(self, step: int, metrics: Mapping[str, Tensor], writer: CheckpointWriter) -> None:
        """Let an adaptive schedule decide, at the steps that are evaluated however the training is cut into runs."""
        if not isinstance(self._schedule, Adaptive) or step % self._every:
            return
        self._pace, decision = decide(self._schedule, self._pace, step, float(metrics["test_loss"]))
        if decision is not None:
            writer.decision(**asdict(decision))
            self._decided = step

    def keeps(self, step: int) -> bool:
        return step in self._planned or step == self._decided or step in self._again
