"""Whether a family's task is one that can be trained on: data that fit, an objective with gradients, exact algebra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from miscope.loss_function import LossFunction, run_of
from miscope.model import LOGITS, Model
from miscope.objective import IGNORED
from miscope.task import Task

__all__ = ["check_task"]

_LEARNED = 256
"""Training inputs whose loss is differentiated."""
_STREAMED = 8
"""Examples that are drawn to be looked at."""


def check_task(family: str, model: Model, task: Task) -> None:
    """Assert that data, labels and objective fit each other, and that gradients reach the weights and are exact."""
    for part in (task.train, task.test):
        assert len(part), f"{family}: a part of the data is empty"
        if part.labels is not None:
            assert len(part.inputs) == len(part.labels), f"{family}: inputs and labels differ in number"
            kind = part.labels.dtype
            assert kind == torch.int64, f"{family}: labels are {kind}; they must be torch.int64"
    both = _rows(task.train.inputs) & _rows(task.test.inputs)
    assert not both, f"{family}: {len(both)} inputs are in both the training and the test set"
    _check_stream(family, task)
    _check_objective(family, model, task)
    weights = task.initial_weights()
    few = task.train.part(0, _LEARNED)
    buffers = {} if task.callbacks is None else task.callbacks.buffers()
    hooked = LossFunction(
        objective=task.objective, run=run_of(task.objective, lambda: model), examples=few, step=0, buffers=buffers
    )
    _check_labels(family, hooked, task, weights)
    losses = hooked(weights)
    assert all(map(_finite, losses.values())), "the loss of the first weights is not a finite number"
    slow = hooked.gradient(weights, list(weights))
    reached = any(bool(gradient.abs().max() > 0) for gradient in slow.values())
    assert reached, f"{family}: no gradient of the loss reaches any weight"
    if task.logits is not None:
        exact = replace(hooked, run=run_of(task.objective, lambda: model, task.logits))
        _check_exact(family, exact, hooked, weights)


def _check_stream(family: str, task: Task) -> None:
    """What updates draw is like what is held out, and decided by the step."""
    if task.stream is None:
        return
    drawn, again, other = (task.stream.of_update(step, _STREAMED).inputs for step in (0, 0, 1))
    expected = (_STREAMED, *task.test.inputs.shape[1:])
    assert tuple(drawn.shape) == expected, f"{family}: its stream gives {tuple(drawn.shape)}, not {expected}"
    assert torch.equal(drawn, again), f"{family}: what its stream gives at a step varies from call to call"
    assert not torch.equal(drawn, other), f"{family}: its stream gives the same examples at another step"


def _check_objective(family: str, model: Model, task: Task) -> None:
    objective = task.objective
    names = [term.name for term in objective.terms]
    assert names, f"{family}: its objective has no term"
    assert len(set(names)) == len(names), f"{family}: two terms of its objective have one name: {', '.join(names)}"
    for site in objective.sites:
        assert site in model.sites, f"{family}: its objective reads {site!r}, and its model has no such site"
    if task.logits is not None:
        assert tuple(objective.sites) == (LOGITS,), (
            f"{family}: Task.logits gives logits alone, and its objective reads {', '.join(objective.sites)}; give the "
            "model a Shortcut instead"
        )
    for name in {} if task.callbacks is None else task.callbacks.buffers():
        assert "/" not in name, f"{family}: the buffer {name!r} of its callbacks has a / in its name"


def _check_labels(family: str, hooked: LossFunction, task: Task, weights: Mapping[str, Tensor]) -> None:
    if LOGITS not in task.objective.sites:
        return
    with torch.no_grad():
        answers = hooked.run(weights, hooked.examples.inputs)[LOGITS].shape[-1]
    for part in (task.train, task.test):
        if part.labels is not None:
            wrong = part.labels[(part.labels >= answers) | ((part.labels < 0) & (part.labels != IGNORED))]
            assert not len(wrong), f"{family}: {int(wrong[0])} is no label: there are {answers} logits"


def _check_exact(family: str, exact: LossFunction, hooked: LossFunction, weights: Mapping[str, Tensor]) -> None:
    """Logits and gradients of the exact algebra against those of the hooked model, in float64."""
    double = {name: tensor.double() for name, tensor in weights.items()}
    with torch.no_grad():
        given, right = (each.run(double, hooked.examples.inputs)[LOGITS] for each in (exact, hooked))
    where = f"{family}: the logits of Task.logits"
    assert given.shape == right.shape, f"{where} is {tuple(given.shape)}, and the hooked model's {tuple(right.shape)}"
    off = float((given - right).abs().max())
    assert off <= 1e-5 * max(1.0, float(right.abs().max())), f"{where} differs from the hooked model's by {off:.1e}"
    fast, slow = (each.gradient(weights, list(weights)) for each in (exact, hooked))
    for name in slow:
        distance = float((fast[name] - slow[name]).abs().max() / slow[name].abs().max().clamp(min=1e-12))
        assert distance < 1e-4, f"{family}: the gradient of {name} through Task.logits is off by {distance:.1e}"


def _finite(value: float) -> bool:
    return value - value == 0


def _rows(inputs: Tensor) -> set[bytes]:
    return {row.numpy().tobytes() for row in inputs}
