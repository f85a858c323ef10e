"""A transformer with all its units in another order is the same transformer, and matching finds that out."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from miscope.analysis.losses import probe_losses
from miscope.analyzers.connectivity import SEEDS, seeds
from miscope.family import Family, make_variant
from miscope.maths.permutation import permuted
from miscope.maths.weight_matching import free, units_of
from miscope.model_context import ModelContext
from miscope.snapshot import Cohort, Trajectory
from miscope_modadd.embedding_mlp import EmbeddingMlpFamily
from miscope_modadd.mlp import MlpFamily
from miscope_modadd.nanda2023 import Nanda2023Family
from miscope_modadd.transformer import TransformerFamily

P = 7


def subject_of(family: Family) -> tuple[ModelContext, dict[str, torch.Tensor]]:
    """The family at p = 7, with weights that answer each input in its own way: biases are no zeros."""
    context = ModelContext(family, make_variant(family, {"prime": P}, {"train_fraction": 0.5}))
    random = torch.Generator().manual_seed(0)
    roles = context.model.roles
    drawn = {n: torch.randn(role.shape, generator=random, dtype=torch.float64) for n, role in roles.items()}
    return context, {n: w / w.shape[0] ** 0.5 for n, w in drawn.items()}


def members_of(context: ModelContext, networks: list[dict[str, torch.Tensor]]) -> tuple[Trajectory, ...]:
    """Taught what the first of them answers."""
    probe, model = context.probe(), context.model
    answers = model.answers(networks[0], probe.inputs, ["logits"])["logits"].argmax(dim=-1)
    options: Any = None
    shown = replace(probe, labels=answers)
    return tuple(
        Trajectory(
            variant=context.variant,
            steps=np.array([0]),
            options=options,
            probe=shown,
            weights={role: lambda w=w: w[None] for role, w in weights.items()},
            axes={name: role.axes for name, role in model.roles.items()},
            model=model,
            losses=probe_losses(shown, lambda: model),
        )
        for weights in networks
    )


@pytest.mark.parametrize("family", [TransformerFamily(), Nanda2023Family()], ids=lambda family: family.name)
def test_stream_heads_and_neurons_in_another_order_are_put_back_exactly(family: Family) -> None:
    context, weights = subject_of(family)
    axes = {name: role.axes for name, role in context.model.roles.items()}
    random = np.random.default_rng(0)
    orders = {unit: random.permuted(order, axis=-1) for unit, order in units_of(weights, axes).items()}
    assert {axis for _, axis in orders} == {"d_model", "head", "QK", "VO", "d_mlp"}
    members = members_of(context, [weights, permuted(weights, axes, orders)])

    outputs = seeds(Cohort(members=members, options=SEEDS.options()))
    for part in ("train", "test"):
        assert outputs[f"{part}/before_barrier"][0, 1] > 0.01
        assert outputs[f"{part}/after_barrier"][0, 1] == pytest.approx(0, abs=1e-12)
    assert outputs["all/after_cosine"][0, 1] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("family", [MlpFamily(), EmbeddingMlpFamily()], ids=lambda family: family.name)
def test_the_order_of_channels_and_neurons_is_free_in_the_perceptrons_too(family: Family) -> None:
    context, weights = subject_of(family)
    axes = {name: role.axes for name, role in context.model.roles.items()}
    units = free(context.model, weights, axes, context.probe().inputs[:20])
    assert set(units) == set(units_of(weights, axes))
    assert ("blocks.0", "d_mlp") in units
