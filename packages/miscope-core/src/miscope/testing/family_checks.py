"""Whether a family keeps the contract: its model, probes, task and bases fit each other, exactly and repeatably."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from miscope.family import Family, make_variant
from miscope.model import LOGITS, Model, at_answer
from miscope.model_context import ModelContext
from miscope.plugins import record_checks
from miscope.testing.probe_checks import check_probes, check_sampled
from miscope.testing.task_checks import check_task
from miscope.testing.vocabulary_checks import AXES, check_axes, check_order, check_site_names

__all__ = ["check_family"]

_NAME = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")
_SOME = 64
"""Inputs of the probe that are run."""


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
    context = ModelContext(family, make_variant(family, params or {}))
    assert make_variant(family, params or {}).digest == context.variant.digest, (
        f"{family.name}: its digest is not stable"
    )
    check_probes(context)
    check_sampled(context)
    task = context.task
    weights = _random_weights(context.model) if task is None else task.initial_weights()
    _check_weights(family, context, weights)
    check_axes(context)
    check_site_names(family.name, context.model.sites)
    _check_runs(family.name, context.model, weights, context.probe().inputs[:_SOME])
    _check_model(family.name, context.model, weights, context.probe().inputs[:_SOME])
    check_order(family.name, context.model, weights, context.probe().inputs[:_SOME])
    if task is not None:
        check_task(family.name, context.model, task)
    _check_bases(context)


def _check_weights(family: Family, context: ModelContext, weights: Mapping[str, Tensor]) -> None:
    roles = context.model.roles
    assert set(weights) == set(roles), f"{family.name}: its first weights and its model's roles differ in names"
    for name, role in roles.items():
        assert role.name == name, f"{family.name}: the role {role.name!r} is given under the name {name!r}"
        assert tuple(weights[name].shape) == role.shape, f"{family.name}: {name} is not of the shape its role says"
        assert len(role.axes) == len(role.shape), f"{family.name}: the axes of {name} do not match its shape"
    if context.task is not None:
        again = context.task.initial_weights()
        assert all(torch.equal(weights[n], again[n]) for n in weights), f"{family.name}: its first weights vary"
        assert all(weights[n] is not again[n] for n in weights), f"{family.name}: two calls share their tensors"
        adopted = family.adopt(weights, context.variant.params)
        assert adopted is not None, f"{family.name}: it does not adopt its own weights"
        same = set(adopted) == set(weights) and all(torch.equal(adopted[n], weights[n]) for n in weights)
        assert same, f"{family.name}: what it adopts of its own weights, by role, is not those weights"


def _check_runs(family: str, model: Model, weights: Mapping[str, Tensor], inputs: Tensor) -> None:
    """In both types: training runs the model in float32, checks and some instruments in float64."""
    for kind in (torch.float32, torch.float64):
        typed = {name: tensor.to(kind) for name, tensor in weights.items()}
        given = inputs.to(kind) if inputs.is_floating_point() else inputs
        try:
            with torch.no_grad():
                logits = model.run(typed, given, [LOGITS] if LOGITS in model.sites else []).get(LOGITS)
        except RuntimeError as error:
            raise AssertionError(
                f"{family}: its model does not run with weights of {kind} on inputs of {inputs.dtype} ({error}); "
                "inputs that are numbers are cast to the type of the weights"
            ) from error
        assert logits is None or logits.ndim == 3, (
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


def _check_bases(context: ModelContext) -> None:
    probe, family = context.probe(), context.family.name
    sizes: dict[str, set[int]] = {}
    for role in context.model.roles.values():
        for axis, size in zip(role.axes, role.shape, strict=True):
            sizes.setdefault(axis, set()).add(size)
    for name, basis in context.bases.items():
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
