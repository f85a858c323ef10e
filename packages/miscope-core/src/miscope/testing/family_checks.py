"""Whether a family keeps the contract: its model, probes, task and bases fit each other, exactly and repeatably."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from miscope import record_checks
from miscope.family import Family, make_variant
from miscope.model import LOGITS, Model, at_answer
from miscope.subject import Subject
from miscope.testing.probe_checks import check_probes
from miscope.testing.vocabulary_checks import AXES, check_axes, check_order, check_site_names

if TYPE_CHECKING:
    from miscope.task import Task

__all__ = ["check_family"]

_NAME = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")
_SOME = 64
"""Inputs of the probe that are run."""
_IGNORED = -100
"""The label that PyTorch's losses leave out."""
_LEARNED = 256
"""Training inputs whose loss is differentiated."""


def check_family(family: Family, params: Mapping[str, Any] | None = None) -> None:
    """Assert that a family's parts fit: weights their roles, activations the probe, the shortcut and `Task.logits`
    the hooked model (values to 1e-5, gradients to 1e-4), the loss its gradients, bases their columns, and that the
    first weights are the same at every call.

    params: parameters to check it with; {} takes its defaults. Small ones make the check quick.
    """
    fault = record_checks.fault("family", family)
    assert fault is None, f"{record_checks.label('family', family)}: {fault}"
    assert _NAME.fullmatch(family.name), f"{family.name!r} should read like 'package.kind', in lower case"
    assert family.title, f"{family.name}: it needs a title"
    assert family.params.model_config.get("frozen"), f"{family.name}: derive its params from miscope.Params"
    subject = Subject(family, make_variant(family, params or {}))
    assert make_variant(family, params or {}).digest == subject.variant.digest, (
        f"{family.name}: its digest is not stable"
    )
    check_probes(subject)
    task = subject.task
    weights = _random_weights(subject.model) if task is None else task.initial_weights()
    _check_weights(family, subject, weights)
    check_axes(subject)
    check_site_names(family.name, subject.model.sites)
    _check_runs(family.name, subject.model, weights, subject.probe().inputs[:_SOME])
    _check_model(family.name, subject.model, weights, subject.probe().inputs[:_SOME])
    check_order(family.name, subject.model, weights, subject.probe().inputs[:_SOME])
    if task is not None:
        _check_task(family.name, subject.model, task)
    _check_bases(subject)


def _check_weights(family: Family, subject: Subject, weights: Mapping[str, Tensor]) -> None:
    roles = subject.model.roles
    assert set(weights) == set(roles), f"{family.name}: its first weights and its model's roles differ in names"
    for name, role in roles.items():
        assert role.name == name, f"{family.name}: the role {role.name!r} is given under the name {name!r}"
        assert tuple(weights[name].shape) == role.shape, f"{family.name}: {name} is not of the shape its role says"
        assert len(role.axes) == len(role.shape), f"{family.name}: the axes of {name} do not match its shape"
    if subject.task is not None:
        again = subject.task.initial_weights()
        assert all(torch.equal(weights[n], again[n]) for n in weights), f"{family.name}: its first weights vary"
        assert all(weights[n] is not again[n] for n in weights), f"{family.name}: two calls share their tensors"
        adopted = family.adopt(weights, subject.variant.params)
        assert adopted is not None, f"{family.name}: it does not adopt its own weights"
        same = set(adopted) == set(weights) and all(torch.equal(adopted[n], weights[n]) for n in weights)
        assert same, f"{family.name}: what it adopts of its own weights, by role, is not those weights"


def _check_runs(family: str, model: Model, weights: Mapping[str, Tensor], inputs: Tensor) -> None:
    """In both types: training runs the model in float32, checks and some instruments in float64."""
    assert LOGITS in model.sites, f"{family}: its model has no site 'logits'"
    for kind in (torch.float32, torch.float64):
        typed = {name: tensor.to(kind) for name, tensor in weights.items()}
        try:
            with torch.no_grad():
                logits = model.run(typed, inputs, [LOGITS])[LOGITS]
        except RuntimeError as error:
            raise AssertionError(
                f"{family}: its model does not run with weights of {kind} on inputs of {inputs.dtype} ({error}); "
                "inputs that are numbers are cast to the type of the weights"
            ) from error
        assert logits.ndim == 3, (
            f"{family}: its logits are {tuple(logits.shape)}; they are (batch, position, vocabulary), and a network "
            "without positions has one"
        )


def _check_model(family: str, model: Model, weights: Mapping[str, Tensor], inputs: Tensor) -> None:
    with torch.no_grad():
        everything = model.run(weights, inputs, model.sites)
        answers = model.answers(weights, inputs, model.sites)
        for site in model.sites:
            assert len(everything[site]) == len(inputs), f"{family}: {site} does not have one row for each input"
            expected = at_answer(site, everything[site])
            _check_close(answers[site], expected, f"{family}: {site} at the answer")
            alone = model.answers(weights, inputs, [site])[site]
            _check_close(alone, expected, f"{family}: {site} asked for alone")
            if site != LOGITS:
                one = model.answers(weights, inputs, [site], channels=[0])[site]
                _check_close(one, expected[..., [0]], f"{family}: channel 0 of {site}")


def _check_close(given: Tensor, hooked: Tensor, where: str) -> None:
    assert given.shape == hooked.shape, f"{where} is {tuple(given.shape)}, and the hooked model's {tuple(hooked.shape)}"
    off = float((given - hooked).abs().max())
    assert off <= 1e-5 * max(1.0, float(hooked.abs().max())), f"{where} differs from the hooked model's by {off:.1e}"


def _check_task(family: str, model: Model, task: Task) -> None:
    for part in (task.train, task.test):
        assert len(part.inputs) == len(part.labels), f"{family}: inputs and labels differ in number"
        assert len(part), f"{family}: a part of the data is empty"
        assert part.labels.dtype == torch.int64, f"{family}: labels are {part.labels.dtype}; they must be torch.int64"
    both = _rows(task.train.inputs) & _rows(task.test.inputs)
    assert not both, f"{family}: {len(both)} inputs are in both the training and the test set"

    inputs = task.train.inputs[:_LEARNED]

    def hooked(weights: Mapping[str, Tensor]) -> Tensor:
        everywhere = model.run(weights, inputs, [LOGITS])[LOGITS]
        return everywhere if task.positions == "all" else at_answer(LOGITS, everywhere)

    with torch.no_grad():
        answers = hooked(task.initial_weights()).shape[-1]
    for part in (task.train, task.test):
        wrong = part.labels[(part.labels >= answers) | ((part.labels < 0) & (part.labels != _IGNORED))]
        assert not len(wrong), f"{family}: {int(wrong[0])} is no label: there are {answers} logits"
    slow = _loss_and_gradients(hooked, task)
    reached = any(bool(gradient.abs().max() > 0) for gradient in slow[1].values())
    assert reached, f"{family}: no gradient of the loss reaches any weight"
    if task.logits is not None:
        exact = task.logits
        fast = _loss_and_gradients(lambda w: exact(w, inputs), task)
        _check_close(fast[0], slow[0], f"{family}: the logits of Task.logits")
        for name in slow[1]:
            scale = slow[1][name].abs().max().clamp(min=1e-12)
            off = float((fast[1][name] - slow[1][name]).abs().max() / scale)
            assert off < 1e-4, f"{family}: the gradient of {name} through Task.logits is off by {off:.1e}"
    measured = task.evaluate(slow[0], task.train.labels[:_LEARNED])
    assert "loss" in measured, f"{family}: evaluate gives no 'loss'"
    assert all(value.ndim == 0 for value in measured.values()), f"{family}: evaluate must give 0-d tensors"


def _rows(inputs: Tensor) -> set[bytes]:
    return {row.numpy().tobytes() for row in inputs}


def _loss_and_gradients(run: Any, task: Task) -> tuple[Tensor, dict[str, Tensor]]:
    weights = {name: tensor.double().requires_grad_() for name, tensor in task.initial_weights().items()}
    logits = run(weights)
    loss = task.loss(logits.double(), task.train.labels[:_LEARNED])
    assert bool(torch.isfinite(loss)), "the loss of the first weights is not a finite number"
    found = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
    gradients = {n: torch.zeros_like(w) if g is None else g for (n, w), g in zip(weights.items(), found, strict=True)}
    return logits.detach(), gradients


def _check_bases(subject: Subject) -> None:
    probe, family = subject.probe(), subject.family.name
    sizes: dict[str, set[int]] = {}
    for role in subject.model.roles.values():
        for axis, size in zip(role.axes, role.shape, strict=True):
            sizes.setdefault(axis, set()).add(size)
    for name, basis in subject.bases.items():
        assert name in probe.columns or name in sizes or name in AXES, (
            f"{family}: the basis under {name!r} belongs to nothing: the columns are {', '.join(probe.columns)}, the "
            f"axes {', '.join(sizes)}"
        )
        if name in probe.columns:
            values = int(probe.columns[name].max()) + 1
            assert basis.size == values, (
                f"{family}: the basis of column {name!r} has {basis.size} rows for {values} values"
            )
        elif name in sizes:
            assert basis.size <= max(sizes[name]), f"{family}: the basis of axis {name!r} is larger than the axis"


def _random_weights(model: Model) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {name: 0.1 * torch.randn(role.shape, generator=generator) for name, role in model.roles.items()}
