"""What a training loop of one's own hands over, checkpoints and metrics at steps; a kill leaves it whole."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, final

from miscope.checkpoint import Checkpoint
from miscope.errors import BadValue
from miscope.modules.module_model import unwrapped
from miscope.recording.disagreement import same_numbers
from miscope.store.layout import step_name
from miscope.store.training_state import TrainingState
from miscope.training import optimizing
from miscope.variant import Variant

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn
    from torch.optim import Optimizer

    from miscope.description import NetworkDescription
    from miscope.store.ledger import RunLog
    from miscope.store.store import Store

__all__ = ["Recorder", "another_run", "weights_of"]

_MANY, _LONG = 1000, 30.0
"""Rows of metrics, and seconds, after which those that came since are written."""


@final
class Recorder:
    """Records one run while it is trained elsewhere; made by `workspace.record`."""

    def __init__(
        self, store: Store, variant: Variant, network: NetworkDescription, *, log: RunLog, goes_on: bool
    ) -> None:
        """goes_on: whether the model was shown to be the one of the last checkpoint there is."""
        self._store, self.variant = store, variant
        """The variant that the run becomes."""
        self._network, self._log = network, log
        self._before = max(self._store.steps(variant.name), default=None)
        self._goes_on = goes_on or self._before is None
        self._begun = False
        self._rows: list[tuple[int, str, float]] = []
        self._latest: tuple[int, dict[str, float]] = (-1, {})
        self._written = time.monotonic()

    def checkpoint(
        self,
        step: int,
        model: nn.Module,
        *,
        metrics: Mapping[str, Any] | None = None,
        optimizer: Optimizer | Sequence[Optimizer] | None = None,
    ) -> Path | None:
        """Keep the model's weights at a step, its metrics, the optimizer's state; returns where, None if it was there.

        step: optimizer updates so far. Weights are copied to the CPU; of 16 bits they become float32. Raises BadValue
        for a model of other weights than the one that was given first, and for weights that are of another run than
        what is recorded: others at a step that is there, or later ones where the last that is there was not reached.
        """
        number, store, name = self._step(step), self._store, self.variant.name
        weights = weights_of(model, self._network, name)
        self.metrics(number, metrics or {})
        steps = store.steps(name)
        if number in steps:
            self._compare(number, weights)
            return None
        if steps and number < steps[-1]:
            raise another_run(self.variant, f"it has no step {number}, and is at step {steps[-1]} already")
        self._go_on()
        self.flush()
        if optimizer is not None:
            # Before the checkpoint, so that one that is there has it.
            store.save_training_state(name, self._state(number, model, optimizer), step=number)
        at, values = self._latest
        path = store.save_checkpoint(
            name, Checkpoint(step=number, weights=weights, metrics=values if at == number else {})
        )
        self._log.write("checkpoint", step=number)
        return path

    def metrics(self, step: int, values: Mapping[str, Any]) -> None:
        """Keep numbers by their names at a step: 'train_loss', 'test_loss', 'train_accuracy', ...; any name will do.

        Those of steps up to a checkpoint from before are there already, and are passed over. BadValue for what is no
        number.
        """
        number = self._step(step)
        numbers = {str(name): _number(name, value) for name, value in values.items()}
        at, before = self._latest
        self._latest = (number, {**before, **numbers} if at == number else numbers)
        if self._before is not None and number <= self._before:
            return
        self._rows += [(number, name, value) for name, value in numbers.items()]
        if self._goes_on and (len(self._rows) > _MANY or time.monotonic() - self._written > _LONG):
            self.flush()

    def flush(self) -> None:
        """Write the metrics that came since."""
        if self._rows:
            self._go_on()
            self._store.append_metrics(self.variant.name, self._rows)
            self._rows.clear()
        self._written = time.monotonic()

    def close(self, *, whole: bool) -> None:
        """Write what is left; called at the end of the `with`. whole: not because of an error, which is then raised."""
        if whole or self._goes_on:
            self.flush()
        self._store.compact_metrics(self.variant.name)

    def _step(self, step: object) -> int:
        if not isinstance(step, Integral) or isinstance(step, bool):
            raise BadValue(f"{step!r} is not a step.", "A step counts optimizer updates.", "Give a whole number.")
        step_name(int(step), "safetensors")  # refuses what is out of bounds
        return int(step)

    def _compare(self, step: int, weights: Mapping[str, Tensor]) -> None:
        there = self._store.load_checkpoint(self.variant.name, step).weights
        differing = [role for role, weight in weights.items() if not same_numbers(there[role], weight)]
        if differing:
            raise another_run(self.variant, f"at step {step} its weights are others: {', '.join(differing[:4])}")
        self._goes_on = self._goes_on or step == self._before

    def _go_on(self) -> None:
        """Before anything is added: refuse another run, and drop metrics from after the last checkpoint."""
        if not self._goes_on:
            raise another_run(
                self.variant, f"nothing shows that this run passed through its last checkpoint, at step {self._before}"
            )
        if not self._begun:
            self._begun = True
            self._store.truncate_metrics(self.variant.name, -1 if self._before is None else self._before)

    def _state(self, step: int, model: nn.Module, optimizer: Optimizer | Sequence[Optimizer]) -> TrainingState:
        """The optimizer's state by role, each tensor that has its parameter's shape laid as the weight is."""
        parameters = dict(unwrapped(model).named_parameters())
        parts = optimizing.JointOptimizer(optimizer if isinstance(optimizer, Sequence) else [optimizer])
        states = optimizing.optimizer_state(parts, parameters)
        by_role = {w.role: parameters[w.parameter] for w in self._network.weights if w.parameter in parameters}
        laid = {w.parameter: w for w in self._network.weights if w.parameter in states}
        optimizer_state = {
            weight.role: {
                name: weight.as_role(t).contiguous() if tuple(t.shape) == weight.stored else t
                for name, t in states[parameter].items()
            }
            for parameter, weight in laid.items()
        }
        facts = {"optimizer_groups": optimizing.groups(parts, by_role)}
        return TrainingState(step=step, optimizer_state=optimizer_state, facts=facts)


def weights_of(model: nn.Module, network: NetworkDescription, variant: str) -> dict[str, Tensor]:
    """The model's weights by role, as copies on the CPU; BadValue where they are not those of the description."""
    from miscope.modules.building import unlike

    plain = unwrapped(model)
    if (other := unlike(plain, network.weights)) is not None:
        raise BadValue(
            f"This model is not the one that {variant} was begun with.",
            f"{other[:1].upper()}{other[1:]}.",
            "Give the same model at every step; record another under a name of its own.",
        )
    held = {**dict(plain.named_parameters()), **dict(plain.named_buffers())}
    return {w.role: _copy(w.as_role(held[w.parameter].detach())) for w in network.weights}


def _copy(tensor: Tensor) -> Tensor:
    import torch

    kind = torch.float32 if tensor.dtype in (torch.float16, torch.bfloat16) else tensor.dtype
    return tensor.to("cpu", kind, copy=True).contiguous()


def another_run(variant: Variant, why: str) -> BadValue:
    """What would mix two runs, refused."""
    return BadValue(
        f"{variant.name} was not recorded further: {why}.",
        "One name is one run: its checkpoints follow from each other.",
        "Record this run under another name; or, to go on from an earlier step N in place of what follows it there, "
        "give `resume=N` with the model as it was at N.",
    )


def _number(name: object, value: Any) -> float:
    if not isinstance(value, Real) and math.prod(getattr(value, "shape", (0,))) == 1:
        value = value.item()
    if not isinstance(value, Real):
        raise BadValue(f"{name!r} is no metric.", f"It is {value!r}.", "Give one number, or a tensor that holds one.")
    return float(value)
