"""The loss of a variant as a function of its weights: of the examples it is trained on, and of those held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from miscope.cross_entropy import classification
from miscope.examples import Examples
from miscope.lazily import torch
from miscope.loss_function import LossFunction, network_of, run_of

if TYPE_CHECKING:
    from torch import Tensor

    from miscope.model import Model
    from miscope.model_context import ModelContext
    from miscope.probe import Probe

__all__ = ["losses_of", "probe_losses"]


def losses_of(context: ModelContext, step: int, buffers: Mapping[str, Tensor] | None = None) -> dict[str, LossFunction]:
    """'train' and 'test' with the terms that training has at the step; 'all' where nobody knows what was trained on.

    buffers: the training's own tensors at the step; None for those it begins with. Of a variant that is not trained
    here it is the cross-entropy of the probe's right answers at the answer position; without labels there is none.
    """
    task = context.task
    if task is None:
        return probe_losses(context.probe(), lambda: context.model, step)
    own = buffers if buffers or task.callbacks is None else task.callbacks.buffers()
    objective = task.objective
    loss = LossFunction(
        objective=objective,
        run=run_of(objective, lambda: context.model, task.logits),
        network=network_of(objective, lambda: context.model),
        examples=task.train,
        step=step,
        buffers=own or {},
    )
    return {"train": loss, "test": replace(loss, examples=task.test)}


def probe_losses(probe: Probe, model: Callable[[], Model], step: int = 0) -> dict[str, LossFunction]:
    """Cross-entropy of the probe's right answers at the answer position: 'train' and 'test', or 'all'; {} without."""
    objective = classification()
    run, network = run_of(objective, model), network_of(objective, model)
    return {
        name: LossFunction(objective=objective, run=run, network=network, examples=part, step=step)
        for name, part in _parts_of(probe).items()
    }


def _parts_of(probe: Probe) -> dict[str, Examples]:
    if probe.labels is None:
        return {}
    everything = Examples(inputs=probe.inputs, labels=probe.labels)
    if probe.train is None or probe.train.all() or not probe.train.any():
        return {"all": everything}
    train = torch.from_numpy(probe.train)
    return {"train": everything.rows(train.nonzero()[:, 0]), "test": everything.rows((~train).nonzero()[:, 0])}
