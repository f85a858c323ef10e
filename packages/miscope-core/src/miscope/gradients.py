"""Gradients of the training loss at stored weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from miscope.lazily import torch
from miscope.model import LOGITS

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model
    from miscope.task import Task

__all__ = ["training_gradients"]


def training_gradients(
    task: Task, model: Model, weights: Mapping[str, Tensor], roles: Collection[str]
) -> dict[str, Tensor]:
    """Gradient of the mean loss on the whole training set for each role, float64; all weights are needed.

    The loss is the one trained on: at the answer position, or at all positions of a task that asks at all.
    """
    exact = {role: tensor.detach().double() for role, tensor in weights.items()}
    wanted = {role: exact[role].requires_grad_() for role in roles}
    with torch.enable_grad():
        if task.logits is not None:
            logits = task.logits(exact, task.train.inputs)
        else:
            look = model.run if task.positions == "all" else model.answers
            logits = look(exact, task.train.inputs, [LOGITS])[LOGITS]
        found = torch.autograd.grad(task.loss(logits, task.train.labels), list(wanted.values()), allow_unused=True)
    return {role: torch.zeros_like(exact[role]) if g is None else g for role, g in zip(wanted, found, strict=True)}
