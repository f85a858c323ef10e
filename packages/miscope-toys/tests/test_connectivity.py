"""Networks with LayerNorm, or without a stream, in another order: the same networks, which matching finds out."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from miscope.analysis.losses import probe_losses
from miscope.analyzers.connectivity import SEEDS, seeds
from miscope.family import Family, make_variant
from miscope.maths.permutation import permuted
from miscope.maths.weight_matching import units_of
from miscope.model_context import ModelContext
from miscope.snapshot import Cohort, Trajectory
from miscope_toys.induction import InductionFamily
from miscope_toys.parity import ParityFamily

KINDS = {"toys.induction": {"d_model", "head", "QK", "VO"}, "toys.parity": {"d_mlp"}}


@pytest.mark.parametrize("family", [InductionFamily(), ParityFamily()], ids=lambda family: family.name)
def test_every_unit_in_another_order_is_put_back_exactly(family: Family) -> None:
    context = ModelContext(family, make_variant(family, {}))
    model, probe = context.model, context.probe()
    axes = {name: role.axes for name, role in model.roles.items()}
    dice, random = torch.Generator().manual_seed(0), np.random.default_rng(0)
    first = {name: torch.randn(role.shape, generator=dice).double() / 3 for name, role in model.roles.items()}
    orders = {unit: random.permuted(order, axis=-1) for unit, order in units_of(first, axes).items()}
    assert {axis for _, axis in orders} == KINDS[family.name]
    inputs = probe.inputs[:40].double() if probe.inputs.is_floating_point() else probe.inputs[:40]
    labels = model.answers(first, inputs, ["logits"])["logits"].argmax(dim=-1)
    options: Any = None
    shown = replace(probe, inputs=inputs, labels=labels, train=None)
    members = tuple(
        Trajectory(
            variant=context.variant,
            steps=np.array([0]),
            options=options,
            probe=shown,
            weights={role: lambda w=w: w[None] for role, w in weights.items()},
            axes=axes,
            model=model,
            losses=probe_losses(shown, lambda: model),
        )
        for weights in (first, permuted(first, axes, orders))
    )
    outputs = seeds(Cohort(members=members, options=SEEDS.options(entries=400, alphas=3)))
    assert outputs["all/before_barrier"][0, 1] > 0.05
    assert outputs["all/after_barrier"][0, 1] == pytest.approx(0, abs=1e-12)
    assert outputs["all/after_cosine"][0, 1] == pytest.approx(1, abs=1e-12)
