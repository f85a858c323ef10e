"""On models that learned nothing, instruments report nothing: no event, no key component, no stage, no loop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import miscope_modadd
import miscope_toys
from miscope.bound import BoundVariant, BoundWorkspace, open_bound
from miscope.checkpoint import Checkpoint
from miscope.testing import tables

pytestmark = pytest.mark.slow

SEEDS = 40
MOST = 0.05
"""Share of seeds that may report something."""
STEPS = tuple(range(0, 2_400, 100))
STRIDE = 0.02
"""Length of a step of the walk, over that of the initial weights."""


def wandering(workspace: BoundWorkspace, seed: int) -> BoundVariant:
    """A random initialisation, and a random walk from there: weights that change and learn nothing."""
    variant = workspace.variant("modadd.transformer", prime=13, seed=seed, steps=STEPS[-1])
    workspace.store.save_variant(variant.value)
    context = workspace.value.context(variant.value)
    assert context.task is not None
    weights, dice = context.task.initial_weights(), torch.Generator().manual_seed(seed)
    for step in STEPS:
        workspace.store.save_checkpoint(variant.name, Checkpoint(step=step, weights=weights))
        workspace.store.append_metrics(variant.name, measured(variant, weights, step))
        stride = {role: torch.randn(w.shape, generator=dice) * STRIDE * w.std() for role, w in weights.items()}
        weights = {role: w + stride[role] for role, w in weights.items()}
    return variant


def measured(variant: BoundVariant, weights: dict[str, torch.Tensor], step: int) -> list[tuple[int, str, float]]:
    context = variant.workspace.value.context(variant.value)
    probe = context.probe()
    assert probe.train is not None
    assert probe.labels is not None
    logits = context.model.answers(weights, probe.inputs, ["logits"])["logits"].double()
    rows = []
    for name, part in (("train", torch.from_numpy(probe.train)), ("test", torch.from_numpy(~probe.train))):
        loss = torch.nn.functional.cross_entropy(logits[part], probe.labels[part])
        right = (logits[part].argmax(-1) == probe.labels[part]).double().mean()
        rows += [(step, f"{name}_loss", float(loss)), (step, f"{name}_accuracy", float(right))]
    return rows


@pytest.fixture(scope="module")
def wanderers(tmp_path_factory: pytest.TempPathFactory) -> list[BoundVariant]:
    workspace = open_bound(tmp_path_factory.mktemp("nulls"), tables(modadd=miscope_modadd))
    return [wandering(workspace, seed) for seed in range(SEEDS)]


def looked(variant: BoundVariant, analyzer: str, **options: object) -> None:
    for outcome in variant.analyze(analyzer, **options):
        assert outcome.state in ("saved", "present"), outcome.error


def test_no_event_is_reported(wanderers: list[BoundVariant]) -> None:
    def happened(variant: BoundVariant) -> bool:
        looked(variant, "events.grokking")
        found = variant.arrays("events.grokking")
        dated = any(np.isfinite(found[name]) for name in ("memorised", "generalised"))
        return bool(dated or found["fell"] or found["grokked"] or found["slingshot_count"])

    assert np.mean([happened(variant) for variant in wanderers]) <= MOST


def test_no_component_is_key_and_no_neuron_follows_one(wanderers: list[BoundVariant]) -> None:
    def elected(variant: BoundVariant) -> bool:
        looked(variant, "keys.votes", steps=[STEPS[0], STEPS[-1]])
        return any(variant.arrays("keys.votes", step)["key_count"] > 0 for step in (STEPS[0], STEPS[-1]))

    assert np.mean([elected(variant) for variant in wanderers]) <= MOST


def test_no_loop_is_in_excess_of_a_random_walk(wanderers: list[BoundVariant]) -> None:
    def excess(variant: BoundVariant) -> np.ndarray:
        options = {"parameters.trajectory": {"draws": 100}}
        looked(variant, "parameters.trajectory", options=options)
        found = variant.arrays("parameters.trajectory", options=options)
        _, middle, edge = found["all/null_area"]
        # The band itself holds 95 %; its edge is known to a quarter of its width from 100 draws.
        return found["all/area"] - middle > 1.4 * (edge - middle)

    assert (np.mean([excess(variant) for variant in wanderers], axis=0) <= MOST).all()


def test_no_stage_begins(wanderers: list[BoundVariant]) -> None:
    def boundaries(variant: BoundVariant) -> int:
        looked(variant, "stages.change_points")
        return int(variant.arrays("stages.change_points")["boundary_count"])

    assert np.mean([boundaries(variant) > 0 for variant in wanderers]) <= MOST


def test_no_head_has_a_role(tmp_path: Path) -> None:
    workspace = open_bound(tmp_path, tables(toys=miscope_toys))
    found = []
    for seed in range(SEEDS):
        variant = workspace.variant("toys.induction", vocabulary=16, length=24, sequences=32, width=16, seed=seed)
        workspace.store.save_variant(variant.value)
        task = workspace.value.context(variant.value).task
        assert task is not None
        workspace.store.save_checkpoint(variant.name, Checkpoint(step=0, weights=task.initial_weights()))
        looked(variant, "heads.roles")
        arrays = variant.arrays("heads.roles", 0)
        found.append(any(np.any(values != "") for name, values in arrays.items() if name.endswith("/role")))
    assert np.mean(found) <= MOST
