"""Weights in training: one evaluation of the loss, one update. Touches no file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import final

import torch
from torch import Tensor
from torch.nn import Parameter

from miscope.batching import rows_of_batch
from miscope.examples import Examples
from miscope.intervention import Intervention, hooks_at
from miscope.loss_function import Loss, Run, batches, loss_of, mean_of, recorded, run_of
from miscope.model import LOGITS, Activations, Hook, Model, at_answers
from miscope.objective import ForwardPass
from miscope.store.training_state import TrainingState
from miscope.task import Task
from miscope.training import optimizing
from miscope.training.update_callbacks import UpdateCallbacks
from miscope.training_config import TrainingConfig

__all__ = ["Trainer", "TrainingSetup"]


@final
@dataclass(frozen=True, kw_only=True)
class TrainingSetup:
    """What a training is about: fixed from its first step to its last."""

    task: Task
    model: Callable[[], Model]
    """Built only when asked for: interventions need it, and tasks without logits of their own."""
    config: TrainingConfig
    seed: int
    """Of the order of mini-batches, and of what interventions and callbacks draw."""
    interventions: Sequence[Intervention] = ()


@final
class Trainer:
    """The weights, their optimizer, the training's own tensors, and the data on one device."""

    def __init__(
        self, setup: TrainingSetup, weights: Mapping[str, Tensor], *, device: torch.device, compiled: bool
    ) -> None:
        self._setup, self.device = setup, device
        task = setup.task
        self._objective = task.objective
        # In the order of memory in which a checkpoint brings them back: products round by it.
        laid_out = {role: w.detach().clone(memory_format=torch.contiguous_format) for role, w in weights.items()}
        self.weights = {role: Parameter(w.to(device)) for role, w in laid_out.items()}
        self.optimizer = optimizing.build_optimizer(setup.config, self.weights)
        # MPS has no float64: the loss is then taken on the CPU.
        self._loss_device = torch.device("cpu") if device.type == "mps" else device
        self._loss_dtype = getattr(torch, setup.config.loss_dtype)
        self._train, self._test = self._moved(task.train), self._moved(task.test)
        self._recorded = self._train
        run = run_of(task.objective, setup.model, task.logits)
        self._run = _compiled(run) if compiled else run
        self._callbacks = self._callbacks_of(task)
        self._seen: ForwardPass | None = None
        self._known: Loss | None = None

    @property
    def buffers(self) -> dict[str, Tensor]:
        """The training's own tensors, of a task with callbacks."""
        return {} if self._callbacks is None else self._callbacks.buffers

    def restore(self, state: TrainingState) -> None:
        """Give optimizer and buffers what they held when the state was kept."""
        optimizing.restore(self.optimizer, self.weights, state.optimizer_state)
        if self._callbacks is not None and state.buffers:
            self._callbacks.restore(state.buffers)

    def loss(self, step: int) -> Tensor:
        """Loss of the examples of the update from `step`, with the graph to differentiate."""
        examples = self._of_update(step)
        hooks = hooks_at(self._setup.interventions, step)
        seen = self._pass(examples, step, hooks)
        loss = loss_of(self._objective, seen)
        # The same pass serves the metrics of this step, unless it is of a part only, or of a replaced activation.
        whole = examples is self._recorded and hooks is None
        self._seen = _detached(seen) if whole or self._callbacks is not None else None
        self._known = Loss(total=loss.total.detach(), terms=_all_detached(loss.terms)) if whole else None
        return loss.total

    def metrics(self, step: int) -> dict[str, Tensor]:
        """'train_loss', 'test_loss', ... of the weights as they are, 0-d on the device; call before `update`."""
        if self._known is not None and self._seen is not None:
            with torch.no_grad():
                train = recorded(self._objective, self._seen, self._known)
        else:
            train = self._measured(self._recorded, step)
        by_name = {f"train_{name}": value for name, value in train.items()}
        return by_name | {f"test_{name}": value for name, value in self._measured(self._test, step).items()}

    def update(self, step: int, loss: Tensor) -> None:
        """One optimizer step down the gradient of the loss of `step`, with what the task's callbacks change."""
        callbacks = self._callbacks
        self.optimizer.zero_grad()
        loss.backward()
        if callbacks is not None and self._seen is not None:
            callbacks.observe(self._seen)
            callbacks.before_clipping(step)
        optimizing.update(self._setup.config, self.optimizer, self.weights, step)
        if callbacks is not None:
            callbacks.after_update(step + 1)
        self._seen = self._known = None

    def _measured(self, examples: Examples, step: int) -> dict[str, Tensor]:
        """What is recorded of these examples, in batches."""
        parts = []
        with torch.set_grad_enabled(self._objective.differentiates(step)):
            for some in batches(self._objective, examples):
                seen = self._pass(some, step, None)
                values = recorded(self._objective, seen, loss_of(self._objective, seen))
                parts.append((self._objective.count(some), values))
        return mean_of(parts)

    def _pass(self, examples: Examples, step: int, hooks: list[Hook] | None) -> ForwardPass:
        run = self._run if hooks is None else partial(self._hooked, hooks=hooks, step=step)
        activations = dict(run(self.weights, examples.inputs))
        if LOGITS in activations:
            activations[LOGITS] = activations[LOGITS].to(self._loss_device).to(self._loss_dtype)
        return ForwardPass(
            examples=examples, activations=activations, weights=self.weights, step=step, buffers=self.buffers
        )

    def _callbacks_of(self, task: Task) -> UpdateCallbacks | None:
        if task.callbacks is None:
            return None
        return UpdateCallbacks(task.callbacks, self.weights, self.optimizer, self._train, self._setup.seed)

    def _of_update(self, step: int) -> Examples:
        """What the update from `step` sees; drawn examples are those that are recorded, too."""
        size, count, stream = self._setup.config.batch_size, len(self._train), self._setup.task.stream
        if stream is not None:
            self._recorded = self._moved(stream.of_update(step, count if size is None else size))
            return self._recorded
        if size is None or size >= count:
            return self._train
        return self._train.rows(rows_of_batch(step, count=count, size=size, seed=self._setup.seed).to(self.device))

    def _moved(self, examples: Examples) -> Examples:
        labels = None if examples.labels is None else examples.labels.to(self._loss_device)
        return Examples(inputs=examples.inputs.to(self.device), labels=labels)

    def _hooked(self, weights: Mapping[str, Tensor], inputs: Tensor, *, hooks: list[Hook], step: int) -> Activations:
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed((self._setup.seed + step) % 2**63)
            activations = self._setup.model().run(weights, inputs, self._objective.sites, hooks=hooks)
        return activations if self._objective.positions == "all" else at_answers(activations)


def _detached(seen: ForwardPass) -> ForwardPass:
    return replace(seen, activations=_all_detached(seen.activations), weights=_all_detached(seen.weights))


def _all_detached(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach() for name, tensor in tensors.items()}


def _compiled(run: Run) -> Run:
    """The function compiled; as it was from the first failure of the compiler on, which needs a C++ compiler."""
    chosen: list[Run] = [torch.compile(run), run]

    def go(weights: Mapping[str, Tensor], inputs: Tensor) -> Activations:
        try:
            return chosen[0](weights, inputs)
        except RuntimeError:
            if chosen[0] is run:
                raise
            chosen[0] = run
            return run(weights, inputs)

    return go
