"""Epochs of miscope's own trainer, without its files, and the CPU time of a call: for several benchmarks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

Epoch = Callable[[], Any]


def trainer_of(variant: Any, task: Any, model: Callable[[], Any]) -> Any:
    """What trains it on the processor."""
    import torch

    from miscope.training.trainer import Trainer, TrainingSetup

    setup = TrainingSetup(task=task, model=model, config=variant.training, seed=0)
    return Trainer(setup, task.initial_weights(), device=torch.device("cpu"), compiled=False)


def epochs_of(trainer: Any) -> Epoch:
    """Each call is the next step of training, with its metrics: what `train` does at every step."""
    steps = iter(range(10**9))

    def epoch() -> None:
        step = next(steps)
        loss = trainer.loss(step)
        {name: float(value) for name, value in trainer.metrics(step).items()}
        trainer.update(step, loss)

    return epoch


def cpu_seconds(call: Epoch) -> float:
    """Of one call."""
    began = time.process_time()
    call()
    return time.process_time() - began
