"""Weights in training: one look at the loss, one update. Touches no file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor
from torch.nn import Parameter

from miscope import optimizing
from miscope.batching import rows_of_batch
from miscope.errors import BadValue
from miscope.intervention import Intervention, hooks_at
from miscope.model import LOGITS, Hook, Model, at_answer
from miscope.task import Examples, Forward, Task
from miscope.training_config import TrainingConfig

__all__ = ["Exercise", "Learner", "pick_device"]


@final
@dataclass(frozen=True, kw_only=True)
class Exercise:
    """What a training is about: fixed from its first step to its last."""

    task: Task
    model: Callable[[], Model]
    """Built only when asked for: interventions need it, and tasks without logits of their own."""
    config: TrainingConfig
    seed: int
    """Of the order of mini-batches, and of what interventions draw."""
    interventions: Sequence[Intervention] = ()


@final
class Learner:
    """The weights, their optimizer, and the data on one device."""

    def __init__(
        self, exercise: Exercise, weights: Mapping[str, Tensor], *, device: torch.device, compiled: bool
    ) -> None:
        self._exercise, self.device = exercise, device
        task = exercise.task
        self.weights = {role: Parameter(w.detach().to(device, copy=True)) for role, w in weights.items()}
        self.optimizer = optimizing.build_optimizer(exercise.config, self.weights)
        # MPS has no float64: the loss is then taken on the CPU.
        self._loss_device = torch.device("cpu") if device.type == "mps" else device
        self._loss_dtype = getattr(torch, exercise.config.loss_dtype)
        self._train, self._test = self._moved(task.train), self._moved(task.test)
        forward = task.logits or self._model_logits
        self._forward = _compiled(forward) if compiled else forward
        self._logits: Tensor | None = None

    def loss(self, step: int) -> Tensor:
        """Loss of the examples of the update from `step`, with the graph to differentiate."""
        rows = self._batch(step)
        inputs = self._train.inputs if rows is None else self._train.inputs[rows]
        labels = self._train.labels if rows is None else self._train.labels[rows.to(self._loss_device)]
        hooks = hooks_at(self._exercise.interventions, step)
        logits = self._cast(self._forward(self.weights, inputs) if hooks is None else self._hooked(inputs, hooks, step))
        # The same logits serve the metrics of this step, unless they are of a part only, or of a replaced activation.
        self._logits = logits.detach() if rows is None and hooks is None else None
        return self._exercise.task.loss(logits, labels)

    def metrics(self) -> dict[str, Tensor]:
        """'train_loss', 'test_loss', ... of the weights as they are, 0-d on the device; call before `update`."""
        evaluate = self._exercise.task.evaluate
        with torch.no_grad():
            train = (
                self._cast(self._forward(self.weights, self._train.inputs)) if self._logits is None else self._logits
            )
            found = {f"train_{name}": value for name, value in evaluate(train, self._train.labels).items()}
            test = self._cast(self._forward(self.weights, self._test.inputs))
            return found | {f"test_{name}": value for name, value in evaluate(test, self._test.labels).items()}

    def update(self, step: int, loss: Tensor) -> None:
        """One optimizer step down the gradient of the loss of `step`."""
        self.optimizer.zero_grad()
        loss.backward()
        optimizing.update(self._exercise.config, self.optimizer, step)
        self._logits = None

    def _batch(self, step: int) -> Tensor | None:
        size, count = self._exercise.config.batch_size, len(self._train)
        if size is None or size >= count:
            return None
        return rows_of_batch(step, count=count, size=size, seed=self._exercise.seed).to(self.device)

    def _moved(self, examples: Examples) -> Examples:
        return Examples(inputs=examples.inputs.to(self.device), labels=examples.labels.to(self._loss_device))

    def _cast(self, logits: Tensor) -> Tensor:
        return logits.to(self._loss_device).to(self._loss_dtype)

    def _model_logits(self, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        model = self._exercise.model()
        look = model.run if self._everywhere else model.answers
        return look(weights, inputs, [LOGITS])[LOGITS]

    def _hooked(self, inputs: Tensor, hooks: list[Hook], step: int) -> Tensor:
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed((self._exercise.seed + step) % 2**63)
            found = self._exercise.model().run(self.weights, inputs, [LOGITS], hooks=hooks)
        return found[LOGITS] if self._everywhere else at_answer(LOGITS, found[LOGITS])

    @property
    def _everywhere(self) -> bool:
        return self._exercise.task.positions == "all"


def pick_device(name: str) -> torch.device:
    """The device of that name; 'auto' takes CUDA, then MPS, then the CPU. BadValue for one that is not here."""
    here = ["cpu"]
    if torch.backends.mps.is_available():
        here.insert(0, "mps")
    if torch.cuda.is_available():
        here[:0] = ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if name == "auto":
        return torch.device(here[0])
    if name not in here:
        raise BadValue(
            f"There is no device {name!r} here.", f"There is: {', '.join(here)}.", "Name one of these, or auto."
        )
    return torch.device(name)


def _compiled(forward: Forward) -> Forward:
    """The function compiled; as it was from the first failure of the compiler on, which needs a C++ compiler."""
    chosen: list[Forward] = [torch.compile(forward), forward]

    def run(weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        try:
            return chosen[0](weights, inputs)
        except RuntimeError:
            if chosen[0] is forward:
                raise
            chosen[0] = forward
            return forward(weights, inputs)

    return run
